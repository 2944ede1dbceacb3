#include "binding.h"
#include "model/quantize.h"

quantizer_binding::quantizer_binding(const Napi::CallbackInfo & info) :
    Napi::ObjectWrap<quantizer_binding>(info),
    on_progress(Napi::Persistent(info[0].As<Napi::Function>())),
    thread(info.Env(), "framewright quantize") {}

Napi::Function quantizer_binding::define(Napi::Env env) {
    return DefineClass(
        env, "Quantizer",
        { InstanceMethod("run", &quantizer_binding::run), InstanceMethod("interrupt", &quantizer_binding::interrupt),
          InstanceMethod("dispose", &quantizer_binding::dispose) });
}

Napi::Value quantizer_binding::run(const Napi::CallbackInfo & info) {
    const Napi::Object o = info[0].As<Napi::Object>();
    quantize_params    params;
    params.input            = o.Get("input").ToString();
    params.output           = o.Get("output").ToString();
    params.file_type        = o.Get("fileType").ToNumber();
    params.n_threads        = o.Get("threads").ToNumber();
    params.allow_requantize = o.Get("allowRequantize").ToBoolean();
    params.pure             = o.Get("pure").ToBoolean();
    return thread.submit(info.Env(), make_task([this, params] {
                             quantize_model(params, *thread.interrupt_address(), [this](float fraction) {
                                 thread.post(std::make_unique<progress_message>(on_progress, fraction));
                             });
                         }));
}

Napi::Value quantizer_binding::interrupt(const Napi::CallbackInfo & info) {
    thread.interrupt();
    return info.Env().Undefined();
}

Napi::Value quantizer_binding::dispose(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([] {},
                                               [this](Napi::Env env) {
                                                   thread.stop();
                                                   return env.Undefined();
                                               }));
}
