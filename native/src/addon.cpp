#include "ggml.h"
#include "mtmd.h"

#include <napi.h>

static Napi::Value versions(const Napi::CallbackInfo & info) {
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("ggml", ggml_version());
    result.Set("marker", mtmd_default_marker());
    return result;
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
    exports.Set("versions", Napi::Function::New(env, versions));
    return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init)
