#include "binding.h"
#include "binding_items.h"

static context_params to_context_params(const Napi::Object & o) {
    context_params p;
    p.n_ctx             = o.Get("nCtx").ToNumber();
    p.n_seq_max         = o.Get("nSeqMax").ToNumber();
    p.n_batch           = o.Get("nBatch").ToNumber();
    p.kv_type           = (ggml_type) o.Get("kvType").ToNumber().Int32Value();
    p.flash_attn        = (llama_flash_attn_type) o.Get("flashAttention").ToNumber().Int32Value();
    p.n_threads         = o.Get("threads").ToNumber();
    p.follows_load      = o.Get("followsLoad").ToBoolean();
    p.capture_attention = o.Get("captureAttention").ToBoolean();
    return p;
}

context_binding::context_binding(const Napi::CallbackInfo & info) :
    Napi::ObjectWrap<context_binding>(info),
    params(to_context_params(info[1].As<Napi::Object>())),
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
        throw make_error(env, error_code::DISPOSED, "the context was disposed");
    }
    return *context;
}

Napi::Value context_binding::create(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([this] {
                             context = std::make_unique<vlm_context>(model, params, thread.interrupt_address());
                             runner  = std::make_unique<item_runner>(*context);
                         }));
}

static void do_commands(vlm_context & context, item_runner & runner, const std::vector<int32_t> & commands) {
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
                runner.drop((uint32_t) c[1]);
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

struct run_task : task {
    vlm_context &                                                 context;
    item_runner &                                                 runner;
    const std::atomic<bool> &                                     yield;
    std::vector<int32_t>                                          commands;
    std::vector<std::pair<uint32_t, std::unique_ptr<batch_item>>> items;
    std::vector<finished_item>                                    finished;

    run_task(vlm_context & context, item_runner & runner, const std::atomic<bool> & yield) :
        context(context),
        runner(runner),
        yield(yield) {}

    void run() override {
        do_commands(context, runner, commands);
        for (auto & [id, item] : items) {
            runner.add(id, std::move(item));
        }
        finished = runner.run(yield);
    }

    // [id, error or undefined, result]...
    Napi::Value result(Napi::Env env) override {
        Napi::Array array = Napi::Array::New(env, 3 * finished.size());
        uint32_t    n     = 0;
        for (const auto & [id, outcome] : finished) {
            const auto * error = std::get_if<failure>(&outcome);
            array.Set(n++, Napi::Number::New(env, id));
            array.Set(n++, error ? make_error(env, error->code, error->what()).Value() : env.Undefined());
            array.Set(n++, error ? env.Undefined() : to_js(env, std::get<item_result>(outcome)));
        }
        return array;
    }
};

Napi::Value context_binding::run(const Napi::CallbackInfo & info) {
    auto work      = std::make_unique<run_task>(get(info.Env()), *runner, yield_flag);
    work->commands = to_int32s(info[0]);

    const Napi::Array items = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < items.Length(); i++) {
        const Napi::Array item = items.Get(i).As<Napi::Array>();
        const uint32_t    id   = item_id(item);
        work->items.emplace_back(id,
                                 to_item(item, [this, id](llama_token token, const std::string & text, float log_prob) {
                                     thread.post(std::make_unique<token_message>(on_token, id, token, text, log_prob));
                                 }));
    }
    yield_flag = false;
    return thread.submit(info.Env(), std::move(work));
}

Napi::Value context_binding::append_image(const Napi::CallbackInfo & info) {
    const llama_seq_id seq   = info[1].As<Napi::Number>();
    auto               image = embedding_binding::Unwrap(info[2].As<Napi::Object>())->get();
    if (!image) {
        throw make_error(info.Env(), error_code::DISPOSED, "the image embedding was disposed");
    }
    return thread.submit(info.Env(),
                         make_task([this, &ctx = get(info.Env()), commands = to_int32s(info[0]), seq, image] {
                             do_commands(ctx, *runner, commands);
                             ctx.append_image(seq, *image);
                         }));
}

Napi::Value context_binding::save(const Napi::CallbackInfo & info) {
    const llama_seq_id seq   = info[1].As<Napi::Number>();
    auto               state = std::make_shared<std::vector<uint8_t>>();
    return thread.submit(info.Env(), make_task(
                                         [this, &ctx = get(info.Env()), commands = to_int32s(info[0]), seq, state] {
                                             do_commands(ctx, *runner, commands);
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
                                         [this, &ctx, commands = to_int32s(info[0]), seq, scratch, state] {
                                             do_commands(ctx, *runner, commands);
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
    o.Set("imageMs", n.image_us / 1000);
    o.Set("stepMs", n.step_us / 1000);
    o.Set("readMs", n.read_us / 1000);
    o.Set("nThreads", n.n_threads);
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
                                             runner.reset();
                                             context.reset();
                                             model.reset();
                                         },
                                         [this](Napi::Env env) {
                                             thread.stop();
                                             return env.Undefined();
                                         }));
}
