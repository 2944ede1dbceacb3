#pragma once

#include "context/item_runner.h"
#include "worker.h"

#include <napi.h>

// The JS side of the addon. Functions throw JS errors only for what src/runtime promises not to do; everything a user
// can bring about ends as an Error with a code.

// A task made of two functions.
template <typename run_fn, typename result_fn> struct function_task : task {
    run_fn    do_run;
    result_fn to_js;

    function_task(run_fn do_run, result_fn to_js) : do_run(std::move(do_run)), to_js(std::move(to_js)) {}

    void run() override { do_run(); }

    Napi::Value result(Napi::Env env) override { return to_js(env); }
};

template <typename run_fn, typename result_fn> std::unique_ptr<task> make_task(run_fn run, result_fn result) {
    return std::make_unique<function_task<run_fn, result_fn>>(std::move(run), std::move(result));
}

// A task without a value.
template <typename run_fn> std::unique_ptr<task> make_task(run_fn run) {
    return make_task(std::move(run), [](Napi::Env env) { return env.Undefined(); });
}

// How far something is, 0..1, for a listener.
struct progress_message : delivery {
    Napi::FunctionReference & listener;
    float                     fraction;

    progress_message(Napi::FunctionReference & listener, float fraction) : listener(listener), fraction(fraction) {}

    void deliver(Napi::Env env) override { listener.Call({ Napi::Number::New(env, fraction) }); }
};

std::vector<int32_t> to_int32s(const Napi::Value & value);
Napi::Value          to_js(Napi::Env env, const std::vector<device_memory> & memory);

// NativeModel of src/runtime/addon.ts.
class model_binding : public Napi::ObjectWrap<model_binding> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit model_binding(const Napi::CallbackInfo & info);

    // Throws DISPOSED.
    std::shared_ptr<vlm_model> get(Napi::Env env) const;

  private:
    Napi::Value load(const Napi::CallbackInfo & info);
    Napi::Value facts(const Napi::CallbackInfo & info);
    Napi::Value memory(const Napi::CallbackInfo & info);
    Napi::Value tokenize(const Napi::CallbackInfo & info);
    Napi::Value detokenize(const Napi::CallbackInfo & info);
    Napi::Value token_text(const Napi::CallbackInfo & info);
    Napi::Value encode_image(const Napi::CallbackInfo & info);
    Napi::Value release_encoder(const Napi::CallbackInfo & info);
    Napi::Value interrupt(const Napi::CallbackInfo & info);
    Napi::Value dispose(const Napi::CallbackInfo & info);

    model_params               params;
    Napi::FunctionReference    on_progress;
    std::shared_ptr<vlm_model> model;
    worker                     thread;  // the last member: stops before the others go
};

// NativeEmbedding.
class embedding_binding : public Napi::ObjectWrap<embedding_binding> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit embedding_binding(const Napi::CallbackInfo & info);

    void Finalize(Napi::Env env) override;

    // Null lets go of it.
    void hold(Napi::Env env, std::shared_ptr<const image_embedding> image);

    const std::shared_ptr<const image_embedding> & get() const { return embedding; }

  private:
    Napi::Value n_tokens(const Napi::CallbackInfo & info);
    Napi::Value n_pos(const Napi::CallbackInfo & info);
    Napi::Value rows(const Napi::CallbackInfo & info);
    Napi::Value dispose(const Napi::CallbackInfo & info);

    std::shared_ptr<const image_embedding> embedding;  // null after dispose
};

// NativeQuantizer.
class quantizer_binding : public Napi::ObjectWrap<quantizer_binding> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit quantizer_binding(const Napi::CallbackInfo & info);

  private:
    Napi::Value run(const Napi::CallbackInfo & info);
    Napi::Value interrupt(const Napi::CallbackInfo & info);
    Napi::Value dispose(const Napi::CallbackInfo & info);

    Napi::FunctionReference on_progress;
    worker                  thread;
};

// COMMAND of src/runtime/addon.ts: what happens to sequences before anything is decoded.
enum command : int32_t { COMMAND_TRUNCATE = 0, COMMAND_COPY = 1, COMMAND_DROP = 2 };

// NativeContext.
class context_binding : public Napi::ObjectWrap<context_binding> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit context_binding(const Napi::CallbackInfo & info);

  private:
    Napi::Value create(const Napi::CallbackInfo & info);
    Napi::Value run(const Napi::CallbackInfo & info);
    Napi::Value append_image(const Napi::CallbackInfo & info);
    Napi::Value save(const Napi::CallbackInfo & info);
    Napi::Value restore(const Napi::CallbackInfo & info);
    Napi::Value counters(const Napi::CallbackInfo & info);
    Napi::Value memory(const Napi::CallbackInfo & info);
    Napi::Value interrupt(const Napi::CallbackInfo & info);
    Napi::Value yield(const Napi::CallbackInfo & info);
    Napi::Value dispose(const Napi::CallbackInfo & info);

    vlm_context & get(Napi::Env env) const;

    context_params               params;
    Napi::FunctionReference      on_token;
    std::shared_ptr<vlm_model>   model;
    std::unique_ptr<vlm_context> context;
    std::unique_ptr<item_runner> runner;  // behind the context: goes before it
    std::atomic<bool>            yield_flag{ false };
    worker                       thread;
};
