#include "binding.h"
#include "binding_codec.h"
#include "binding_constants.h"
#include "binding_trainer.h"
#include "support/backends.h"
#include "support/heap.h"
#include "support/log_sink.h"

static const char * level_name(ggml_log_level level) {
    switch (level) {
        case GGML_LOG_LEVEL_ERROR:
            return "error";
        case GGML_LOG_LEVEL_WARN:
            return "warn";
        case GGML_LOG_LEVEL_DEBUG:
            return "debug";
        default:
            return "info";
    }
}

static const char * kind_name(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU:
            return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU:
            return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU:
            return "igpu";
        default:
            return "accel";
    }
}

static Napi::Value init(const Napi::CallbackInfo & info) {
    heap_init();
    log_sink_install();
    return info.Env().Undefined();
}

static Napi::Value on_load_backends(const Napi::CallbackInfo & info) {
    const auto  names  = load_backends(info[0].ToString().Utf8Value(), info[1].ToString().Utf8Value());
    Napi::Array result = Napi::Array::New(info.Env(), names.size());
    for (size_t i = 0; i < names.size(); i++) {
        result.Set((uint32_t) i, names[i]);
    }
    return result;
}

static Napi::Value on_load_backend(const Napi::CallbackInfo & info) {
    const std::string error  = load_backend(info[0].ToString().Utf8Value());
    Napi::Object      result = Napi::Object::New(info.Env());
    result.Set("error", error.empty() ? info.Env().Null() : Napi::String::New(info.Env(), error));
    return result;
}

static Napi::Value on_cpu_score(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), cpu_score(info[0].ToString().Utf8Value()));
}

static Napi::Value on_cpu_library(const Napi::CallbackInfo & info) {
    return Napi::String::New(info.Env(), cpu_library());
}

static Napi::Value on_host_formats(const Napi::CallbackInfo & info) {
    const auto  names  = host_formats();
    Napi::Array result = Napi::Array::New(info.Env(), names.size());
    for (size_t i = 0; i < names.size(); i++) {
        result.Set((uint32_t) i, names[i]);
    }
    return result;
}

static Napi::Value devices(const Napi::CallbackInfo & info) {
    const Napi::Env env    = info.Env();
    Napi::Array     result = Napi::Array::New(env);
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t     device = ggml_backend_dev_get(i);
        ggml_backend_dev_props props;
        ggml_backend_dev_get_props(device, &props);
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("name", props.name);
        entry.Set("description", props.description);
        entry.Set("kind", kind_name(props.type));
        entry.Set("backend", ggml_backend_reg_name(ggml_backend_dev_backend_reg(device)));
        entry.Set("memoryFreeBytes", (double) props.memory_free);
        entry.Set("memoryTotalBytes", (double) props.memory_total);
        result.Set((uint32_t) i, entry);
    }
    return result;
}

static Napi::Value versions(const Napi::CallbackInfo & info) {
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("llama", llama_version());
    result.Set("napi", NAPI_VERSION);
    result.Set("system", llama_print_system_info());
    return result;
}

static void on_log_wake(napi_env env, napi_value callback, void * context, void *) {
    if (!env) {
        return;
    }
    Napi::HandleScope scope(env);
    static_cast<environment *>(context)->log_wake_pending = false;
    try {
        Napi::Function(env, callback).Call({});
    } catch (const Napi::Error & e) {
        e.ThrowAsJavaScriptException();
    }
}

static void stop_listening(environment & own) {
    if (!own.log_wake) {
        return;
    }
    log_sink_remove_listener(own.log_listener);
    napi_release_threadsafe_function(own.log_wake, napi_tsfn_release);
    own.log_wake = nullptr;
}

static void on_environment_exit(void * own) {
    stop_listening(*static_cast<environment *>(own));
}

static Napi::Value set_log_listener(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    environment &   own = environment::of(env);
    stop_listening(own);
    if (!info[0].IsFunction()) {
        return env.Undefined();
    }
    own.log_wake_pending = false;
    if (napi_create_threadsafe_function(env, info[0], nullptr, Napi::String::New(env, "framewright log"), 0, 1, nullptr,
                                        nullptr, &own, on_log_wake, &own.log_wake) != napi_ok) {
        throw Napi::Error::New(env, "cannot create a thread-safe function");
    }
    napi_unref_threadsafe_function(env, own.log_wake);
    own.log_listener = log_sink_add_listener([&own] {
        if (!own.log_wake_pending.exchange(true)) {
            napi_call_threadsafe_function(own.log_wake, nullptr, napi_tsfn_nonblocking);
        }
    });
    return env.Undefined();
}

static Napi::Value drain_logs(const Napi::CallbackInfo & info) {
    const Napi::Env env    = info.Env();
    const auto      lines  = log_sink_read(environment::of(env).log_cursor);
    Napi::Array     result = Napi::Array::New(env, lines.size());
    for (size_t i = 0; i < lines.size(); i++) {
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("level", level_name(lines[i].level));
        entry.Set("text", lines[i].text);
        result.Set((uint32_t) i, entry);
    }
    return result;
}

// In the `exit` event: the C++ objects that workers use are destroyed soon after it.
static Napi::Value stop_workers(const Napi::CallbackInfo & info) {
    const std::set<worker *> running = environment::of(info.Env()).workers;
    for (worker * each : running) {
        each->interrupt();
    }
    for (worker * each : running) {
        each->stop();
    }
    return info.Env().Undefined();
}

static Napi::Object define(Napi::Env env, Napi::Object exports) {
    auto * own = new environment();
    env.SetInstanceData(own);
    napi_add_env_cleanup_hook(env, on_environment_exit, own);

    const Napi::Function embedding_class = embedding_binding::define(env);
    own->embedding_class                 = Napi::Persistent(embedding_class);
    exports.Set("Model", model_binding::define(env));
    exports.Set("Context", context_binding::define(env));
    exports.Set("Quantizer", quantizer_binding::define(env));
    exports.Set("Trainer", trainer_binding::define(env));

    exports.Set("init", Napi::Function::New(env, init));
    exports.Set("loadBackends", Napi::Function::New(env, on_load_backends));
    exports.Set("loadBackend", Napi::Function::New(env, on_load_backend));
    exports.Set("cpuScore", Napi::Function::New(env, on_cpu_score));
    exports.Set("cpuLibrary", Napi::Function::New(env, on_cpu_library));
    exports.Set("hostFormats", Napi::Function::New(env, on_host_formats));
    exports.Set("devices", Napi::Function::New(env, devices));
    exports.Set("decodeRows", Napi::Function::New(env, decode_rows));
    exports.Set("encodeRows", Napi::Function::New(env, encode_rows));
    exports.Set("planTraining", Napi::Function::New(env, on_plan_training));
    exports.Set("measureSpeed", Napi::Function::New(env, on_measure_speed));
    exports.Set("constants", Napi::Function::New(env, constants));
    exports.Set("versions", Napi::Function::New(env, versions));
    exports.Set("setLogListener", Napi::Function::New(env, set_log_listener));
    exports.Set("drainLogs", Napi::Function::New(env, drain_logs));
    exports.Set("stopWorkers", Napi::Function::New(env, stop_workers));
    return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, define)
