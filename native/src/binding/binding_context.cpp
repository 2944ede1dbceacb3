#include "binding.h"
#include "context/append_item.h"
#include "context/generate_item.h"
#include "context/score_item.h"

static context_params to_params(const Napi::Object & o) {
    context_params p;
    p.n_ctx             = o.Get("nCtx").ToNumber();
    p.n_seq_max         = o.Get("nSeqMax").ToNumber();
    p.n_batch           = o.Get("nBatch").ToNumber();
    p.kv_type           = (ggml_type) o.Get("kvType").ToNumber().Int32Value();
    p.flash_attn        = (llama_flash_attn_type) o.Get("flashAttention").ToNumber().Int32Value();
    p.n_threads         = o.Get("threads").ToNumber();
    p.capture_attention = o.Get("captureAttention").ToBoolean();
    return p;
}

context_binding::context_binding(const Napi::CallbackInfo & info) :
    Napi::ObjectWrap<context_binding>(info),
    params(to_params(info[1].As<Napi::Object>())),
    on_token(Napi::Persistent(info[2].As<Napi::Function>())),
    model(model_binding::Unwrap(info[0].As<Napi::Object>())->get(info.Env())),
    thread(info.Env(), "framewright context") {}

Napi::Function context_binding::define(Napi::Env env) {
    return DefineClass(
        env, "Context",
        { InstanceMethod("create", &context_binding::create), InstanceMethod("run", &context_binding::run),
          InstanceMethod("appendImage", &context_binding::append_image), InstanceMethod("save", &context_binding::save),
          InstanceMethod("restore", &context_binding::restore), InstanceMethod("counters", &context_binding::counters),
          InstanceMethod("memory", &context_binding::memory), InstanceMethod("interrupt", &context_binding::interrupt),
          InstanceMethod("yield", &context_binding::yield), InstanceMethod("dispose", &context_binding::dispose) });
}

vlm_context & context_binding::get(Napi::Env env) const {
    if (!context) {
        throw make_error(env, "DISPOSED", "the context was disposed");
    }
    return *context;
}

Napi::Value context_binding::create(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([this] {
                             context = std::make_unique<vlm_context>(model, params, thread.interrupt_address());
                         }));
}

// NativeCommand: what happens to sequences before anything is decoded.
enum command : int32_t { COMMAND_TRUNCATE = 0, COMMAND_COPY = 1, COMMAND_DROP = 2 };

static void do_commands(vlm_context & context, const std::vector<int32_t> & commands) {
    for (size_t i = 0; i + 3 < commands.size(); i += 4) {
        const int32_t * c = &commands[i];
        switch (c[0]) {
            case COMMAND_TRUNCATE:
                context.truncate(c[1], (size_t) c[2], c[3]);
                break;
            case COMMAND_COPY:
                context.copy(c[1], c[2]);
                break;
            case COMMAND_DROP:
                context.drop_item((uint32_t) c[1]);
                break;
        }
    }
}

struct token_message : delivery {
    Napi::FunctionReference & listener;
    uint32_t                  item_id;
    llama_token               token;
    std::string               text;
    float                     log_prob;

    token_message(Napi::FunctionReference & listener,
                  uint32_t                  item_id,
                  llama_token               token,
                  std::string               text,
                  float                     log_prob) :
        listener(listener),
        item_id(item_id),
        token(token),
        text(std::move(text)),
        log_prob(log_prob) {}

    void deliver(Napi::Env env) override {
        listener.Call({ Napi::Number::New(env, item_id), Napi::Number::New(env, token), Napi::String::New(env, text),
                        Napi::Number::New(env, log_prob) });
    }
};

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

std::unique_ptr<batch_item> context_binding::to_generate_item(const Napi::Array & item, uint32_t id, llama_seq_id seq) {
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
    generate_item::token_listener listener;
    if (item.Get(8u).ToBoolean()) {
        listener = [this, id](llama_token token, const std::string & text, float log_prob) {
            thread.post(std::make_unique<token_message>(on_token, id, token, text, log_prob));
        };
    }
    return std::make_unique<generate_item>(seq, std::move(p), std::move(listener));
}

// NativeItem of src/runtime/addon.ts: [id, kind, sequence, ...].
enum item_kind : int32_t { ITEM_APPEND = 0, ITEM_SCORE = 1, ITEM_GENERATE = 2 };

std::unique_ptr<batch_item> context_binding::to_item(const Napi::Array & item, uint32_t id) {
    const llama_seq_id seq = item.Get(2u).As<Napi::Number>();
    switch (item.Get(1u).As<Napi::Number>().Int32Value()) {
        case ITEM_SCORE:
            return to_score_item(item, seq);
        case ITEM_GENERATE:
            return to_generate_item(item, id, seq);
        default:
            return std::make_unique<append_item>(seq, to_int32s(item.Get(3u)), to_int32s(item.Get(4u)),
                                                 to_int32s(item.Get(5u)));
    }
}

struct run_task : task {
    vlm_context &                                                 context;
    const std::atomic<bool> &                                     yield;
    std::vector<int32_t>                                          commands;
    std::vector<std::pair<uint32_t, std::unique_ptr<batch_item>>> items;
    std::vector<std::pair<uint32_t, std::unique_ptr<batch_item>>> finished;

    run_task(vlm_context & context, const std::atomic<bool> & yield) : context(context), yield(yield) {}

    void run() override {
        do_commands(context, commands);
        for (auto & [id, item] : items) {
            context.add_item(id, std::move(item));
        }
        finished = context.run(yield);
    }

    // [id, error or undefined, result]...
    Napi::Value result(Napi::Env env) override {
        Napi::Array array = Napi::Array::New(env, 3 * finished.size());
        uint32_t    n     = 0;
        for (const auto & [id, item] : finished) {
            array.Set(n++, Napi::Number::New(env, id));
            if (item->error) {
                array.Set(n++, make_error(env, item->error->code, item->error->what()).Value());
                array.Set(n++, env.Undefined());
            } else {
                array.Set(n++, env.Undefined());
                array.Set(n++, item->result(env, context));
            }
        }
        return array;
    }
};

Napi::Value context_binding::run(const Napi::CallbackInfo & info) {
    auto work      = std::make_unique<run_task>(get(info.Env()), yield_flag);
    work->commands = to_int32s(info[0]);

    const Napi::Array items = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < items.Length(); i++) {
        const Napi::Array item = items.Get(i).As<Napi::Array>();
        const uint32_t    id   = item.Get(0u).As<Napi::Number>();
        work->items.emplace_back(id, to_item(item, id));
    }
    yield_flag = false;
    return thread.submit(info.Env(), std::move(work));
}

Napi::Value context_binding::append_image(const Napi::CallbackInfo & info) {
    const llama_seq_id seq   = info[1].As<Napi::Number>();
    auto               image = embedding_binding::Unwrap(info[2].As<Napi::Object>())->get();
    if (!image) {
        throw make_error(info.Env(), "DISPOSED", "the image embedding was disposed");
    }
    return thread.submit(info.Env(), make_task([&ctx = get(info.Env()), commands = to_int32s(info[0]), seq, image] {
                             do_commands(ctx, commands);
                             ctx.append_image(seq, *image);
                         }));
}

Napi::Value context_binding::save(const Napi::CallbackInfo & info) {
    const llama_seq_id seq   = info[1].As<Napi::Number>();
    auto               state = std::make_shared<std::vector<uint8_t>>();
    return thread.submit(info.Env(), make_task(
                                         [&ctx = get(info.Env()), commands = to_int32s(info[0]), seq, state] {
                                             do_commands(ctx, commands);
                                             *state = ctx.save(seq);
                                         },
                                         [state](Napi::Env env) {
                                             Napi::Uint8Array bytes = Napi::Uint8Array::New(env, state->size());
                                             std::copy(state->begin(), state->end(), bytes.Data());
                                             return bytes;
                                         }));
}

// Resolves with [nTokens, nPos].
Napi::Value context_binding::restore(const Napi::CallbackInfo & info) {
    const llama_seq_id     seq     = info[1].As<Napi::Number>();
    const llama_seq_id     scratch = info[2].As<Napi::Number>();
    const Napi::Uint8Array bytes   = info[3].As<Napi::Uint8Array>();
    vlm_context &          ctx     = get(info.Env());
    auto state = std::make_shared<std::vector<uint8_t>>(bytes.Data(), bytes.Data() + bytes.ByteLength());
    return thread.submit(info.Env(), make_task(
                                         [&ctx, commands = to_int32s(info[0]), seq, scratch, state] {
                                             do_commands(ctx, commands);
                                             ctx.restore(seq, scratch, *state);
                                         },
                                         [&ctx, seq](Napi::Env env) {
                                             Napi::Array result = Napi::Array::New(env, 2);
                                             result.Set(0u, (double) ctx.seq(seq).tokens.size());
                                             result.Set(1u, ctx.seq(seq).n_pos);
                                             return result;
                                         }));
}

Napi::Value context_binding::counters(const Napi::CallbackInfo & info) {
    const context_counters n = get(info.Env()).counters();
    Napi::Object           o = Napi::Object::New(info.Env());
    o.Set("nDecodeCalls", (double) n.n_decode_calls);
    o.Set("nTokensDecoded", (double) n.n_tokens_decoded);
    o.Set("nSingleTokenSteps", (double) n.n_single_token_steps);
    o.Set("decodeMs", n.decode_us / 1000);
    return o;
}

Napi::Value context_binding::memory(const Napi::CallbackInfo & info) {
    return to_js(info.Env(), get(info.Env()).memory());
}

Napi::Value context_binding::interrupt(const Napi::CallbackInfo & info) {
    thread.interrupt();
    return info.Env().Undefined();
}

Napi::Value context_binding::yield(const Napi::CallbackInfo & info) {
    yield_flag = true;
    return info.Env().Undefined();
}

Napi::Value context_binding::dispose(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task(
                                         [this] {
                                             context.reset();
                                             model.reset();
                                         },
                                         [this](Napi::Env env) {
                                             thread.stop();
                                             return env.Undefined();
                                         }));
}
