#include "binding_items.h"

#include "binding.h"
#include "context/append_item.h"
#include "context/score_item.h"

#include <algorithm>

uint32_t item_id(const Napi::Array & item) {
    return item.Get(0u).As<Napi::Number>();
}

static std::unique_ptr<batch_item> to_append_item(const Napi::Array & item, llama_seq_id seq) {
    return std::make_unique<append_item>(seq, to_int32s(item.Get(3u)), to_int32s(item.Get(4u)),
                                         to_int32s(item.Get(5u)));
}

static std::unique_ptr<batch_item> to_score_item(const Napi::Array & item, llama_seq_id seq) {
    const auto                            tokens  = to_int32s(item.Get(3u));
    const auto                            lengths = to_int32s(item.Get(4u));
    std::vector<std::vector<llama_token>> continuations;
    auto                                  at = tokens.begin();
    for (const int32_t length : lengths) {
        continuations.emplace_back(at, at + length);
        at += length;
    }
    return std::make_unique<score_item>(seq, std::move(continuations), to_int32s(item.Get(5u)));
}

static std::unique_ptr<batch_item> to_generate_item(const Napi::Array &           item,
                                                    llama_seq_id                  seq,
                                                    generate_item::token_listener on_token) {
    const Napi::Value grammar = item.Get(3u);
    generate_params   p;
    p.has_grammar  = grammar.IsString();
    p.grammar      = p.has_grammar ? grammar.ToString().Utf8Value() : "";
    p.n_tokens_max = item.Get(4u).ToNumber().Uint32Value();
    p.temperature  = item.Get(5u).ToNumber();
    p.seed         = item.Get(6u).ToNumber();

    const Napi::Array stop_texts = item.Get(7u).As<Napi::Array>();
    for (uint32_t i = 0; i < stop_texts.Length(); i++) {
        p.stop_texts.push_back(stop_texts.Get(i).ToString());
    }
    const bool streams = item.Get(8u).ToBoolean();
    return std::make_unique<generate_item>(seq, std::move(p), streams ? std::move(on_token) : nullptr);
}

std::unique_ptr<batch_item> to_item(const Napi::Array & item, generate_item::token_listener on_token) {
    const llama_seq_id seq = item.Get(2u).As<Napi::Number>();
    switch (item.Get(1u).As<Napi::Number>().Int32Value()) {
        case ITEM_SCORE:
            return to_score_item(item, seq);
        case ITEM_GENERATE:
            return to_generate_item(item, seq, std::move(on_token));
        default:
            return to_append_item(item, seq);
    }
}

static Napi::Float32Array to_js(Napi::Env env, const std::vector<float> & values) {
    Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

// [logProbs, (layer, nHead, weights)...]
static Napi::Value to_js(Napi::Env env, const append_result & result) {
    Napi::Array array = Napi::Array::New(env);
    uint32_t    n     = 0;
    array.Set(n++, to_js(env, result.log_probs));
    for (const auto & [layer, attention] : result.attention) {
        array.Set(n++, Napi::Number::New(env, layer));
        array.Set(n++, Napi::Number::New(env, (double) attention.n_head));
        array.Set(n++, to_js(env, attention.weights));
    }
    return array;
}

// One behind the other.
static Napi::Value to_js(Napi::Env env, const score_result & result) {
    size_t n = 0;
    for (const auto & values : result.log_probs) {
        n += values.size();
    }
    Napi::Float32Array array = Napi::Float32Array::New(env, n);
    float *            out   = array.Data();
    for (const auto & values : result.log_probs) {
        out = std::copy(values.begin(), values.end(), out);
    }
    return array;
}

static Napi::Value to_js(Napi::Env env, const generate_result & result) {
    Napi::Int32Array tokens = Napi::Int32Array::New(env, result.tokens.size());
    std::copy(result.tokens.begin(), result.tokens.end(), tokens.Data());
    const bool  stopped = result.stop_token != LLAMA_TOKEN_NULL;
    Napi::Array array   = Napi::Array::New(env, 7);
    array.Set(0u, tokens);
    array.Set(1u, to_js(env, result.log_probs));
    array.Set(2u, result.text);
    array.Set(3u, (double) result.reason);
    array.Set(4u, stopped ? Napi::Number::New(env, result.stop_token) : env.Undefined());
    array.Set(5u, result.stop_text);
    array.Set(6u, result.stop_log_prob);
    return array;
}

Napi::Value to_js(Napi::Env env, const item_result & result) {
    return std::visit([env](const auto & each) -> Napi::Value { return to_js(env, each); }, result);
}
