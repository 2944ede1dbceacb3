#include "binding.h"
#include "support/failure.h"

#include <cmath>

std::vector<int32_t> to_int32s(const Napi::Value & value) {
    if (!value.IsTypedArray()) {
        return {};
    }
    const Napi::Int32Array array = value.As<Napi::Int32Array>();
    return { array.Data(), array.Data() + array.ElementLength() };
}

Napi::Value to_js(Napi::Env env, const std::vector<device_memory> & memory) {
    Napi::Array result = Napi::Array::New(env, memory.size());
    for (size_t i = 0; i < memory.size(); i++) {
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("device", memory[i].device);
        entry.Set("modelBytes", (double) memory[i].model);
        entry.Set("contextBytes", (double) memory[i].context);
        entry.Set("computeBytes", (double) memory[i].compute);
        result.Set((uint32_t) i, entry);
    }
    return result;
}

static std::vector<std::string> to_strings(const Napi::Value & value) {
    const Napi::Array        array = value.As<Napi::Array>();
    std::vector<std::string> result;
    for (uint32_t i = 0; i < array.Length(); i++) {
        result.push_back(array.Get(i).ToString());
    }
    return result;
}

static model_params to_model_params(const Napi::Object & o) {
    model_params p;
    p.path              = o.Get("path").ToString();
    p.mmproj_path       = o.Get("mmprojPath").ToString();
    p.use_mmap          = o.Get("mmap").ToBoolean();
    p.n_gpu_layers      = o.Get("gpuLayers").ToNumber();
    p.devices           = to_strings(o.Get("devices"));
    p.projector_on_gpu  = o.Get("projectorOnGpu").ToBoolean();
    p.n_threads         = o.Get("threads").ToNumber();
    p.vision_flash_attn = (llama_flash_attn_type) o.Get("flashAttention").ToNumber().Int32Value();
    p.image_min_tokens  = o.Get("imageMinTokens").ToNumber();
    p.image_max_tokens  = o.Get("imageMaxTokens").ToNumber();

    const Napi::Array loras = o.Get("loras").As<Napi::Array>();
    for (uint32_t i = 0; i < loras.Length(); i++) {
        const Napi::Object lora = loras.Get(i).As<Napi::Object>();
        p.loras.push_back({ lora.Get("path").ToString(), lora.Get("scale").ToNumber() });
    }
    return p;
}

model_binding::model_binding(const Napi::CallbackInfo & info) :
    Napi::ObjectWrap<model_binding>(info),
    params(to_model_params(info[0].As<Napi::Object>())),
    on_progress(Napi::Persistent(info[1].As<Napi::Function>())),
    thread(info.Env(), "framewright model") {}

Napi::Function model_binding::define(Napi::Env env) {
    return DefineClass(
        env, "Model",
        { InstanceMethod("load", &model_binding::load), InstanceMethod("facts", &model_binding::facts),
          InstanceMethod("memory", &model_binding::memory), InstanceMethod("tokenize", &model_binding::tokenize),
          InstanceMethod("detokenize", &model_binding::detokenize),
          InstanceMethod("tokenText", &model_binding::token_text),
          InstanceMethod("encodeImage", &model_binding::encode_image),
          InstanceMethod("releaseEncoder", &model_binding::release_encoder),
          InstanceMethod("interrupt", &model_binding::interrupt), InstanceMethod("dispose", &model_binding::dispose) });
}

std::shared_ptr<vlm_model> model_binding::get(Napi::Env env) const {
    if (!model) {
        throw make_error(env, error_code::DISPOSED, "the model was disposed");
    }
    return model;
}

Napi::Value model_binding::load(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([this] {
                             float      reported = -1;
                             const auto report   = [&](float fraction) {
                                 if (fraction - reported >= 0.01f || (fraction >= 1 && reported < 1)) {
                                     reported = fraction;
                                     thread.post(std::make_unique<progress_message>(on_progress, fraction));
                                 }
                             };
                             model = std::make_shared<vlm_model>(params, thread.interrupt_address(), report);
                         }));
}

// A string a GGUF key or token may hold: llama.cpp gives its length, and cuts it at the buffer's end.
template <typename get_fn> static std::string get_string(const get_fn & get) {
    const int32_t n = get(nullptr, 0);
    if (n < 0) {
        return "";
    }
    std::string text((size_t) n + 1, '\0');
    get(text.data(), text.size());
    text.resize((size_t) n);
    return text;
}

Napi::Value model_binding::facts(const Napi::CallbackInfo & info) {
    const Napi::Env     env = info.Env();
    const llama_model * m   = get(env)->get();
    Napi::Object        o   = Napi::Object::New(env);
    o.Set("description", get_string([&](char * buf, size_t n) { return llama_model_desc(m, buf, n); }));
    o.Set("nParams", (double) llama_model_n_params(m));
    o.Set("sizeBytes", (double) llama_model_size(m));
    o.Set("nVocab", model->n_vocab());
    o.Set("nEmbd", llama_model_n_embd(m));
    o.Set("nEmbdInput", llama_model_n_embd_inp(m));
    o.Set("cellPx", get(env)->cell_px());
    o.Set("nLayer", llama_model_n_layer(m));
    o.Set("nHead", llama_model_n_head(m));
    o.Set("nCtxTrain", llama_model_n_ctx_train(m));
    const char * chat_template = llama_model_chat_template(m, nullptr);
    o.Set("chatTemplate", chat_template ? Napi::String::New(env, chat_template) : env.Undefined());
    // Pairs, not an object: a key may be "__proto__".
    Napi::Array metadata = Napi::Array::New(env);
    for (int32_t i = 0; i < llama_model_meta_count(m); i++) {
        metadata.Set((uint32_t) (2 * i),
                     get_string([&](char * buf, size_t n) { return llama_model_meta_key_by_index(m, i, buf, n); }));
        metadata.Set((uint32_t) (2 * i + 1),
                     get_string([&](char * buf, size_t n) { return llama_model_meta_val_str_by_index(m, i, buf, n); }));
    }
    o.Set("metadata", metadata);
    return o;
}

Napi::Value model_binding::memory(const Napi::CallbackInfo & info) {
    return to_js(info.Env(), get(info.Env())->memory());
}

Napi::Value model_binding::tokenize(const Napi::CallbackInfo & info) {
    const auto       tokens = get(info.Env())->tokenize(info[0].ToString(), info[1].ToBoolean());
    Napi::Int32Array result = Napi::Int32Array::New(info.Env(), tokens.size());
    std::copy(tokens.begin(), tokens.end(), result.Data());
    return result;
}

Napi::Value model_binding::detokenize(const Napi::CallbackInfo & info) {
    const auto tokens = to_int32s(info[0]);
    return Napi::String::New(info.Env(), get(info.Env())->detokenize(tokens.data(), tokens.size()));
}

Napi::Value model_binding::token_text(const Napi::CallbackInfo & info) {
    return Napi::String::New(info.Env(), get(info.Env())->token_text(info[0].ToNumber()));
}

Napi::Value model_binding::encode_image(const Napi::CallbackInfo & info) {
    const Napi::Uint8Array rgb    = info[0].As<Napi::Uint8Array>();
    auto                   pixels = std::make_shared<std::vector<uint8_t>>(rgb.Data(), rgb.Data() + rgb.ByteLength());
    const uint32_t         width  = info[1].ToNumber();
    const uint32_t         height = info[2].ToNumber();
    auto                   made   = std::make_shared<std::shared_ptr<const image_embedding>>();
    return thread.submit(info.Env(), make_task([m = get(info.Env()), pixels, width, height,
                                                made] { *made = m->encode_image(*pixels, width, height); },
                                               [made](Napi::Env env) {
                                                   Napi::Object value = environment::of(env).embedding_class.New({});
                                                   embedding_binding::Unwrap(value)->hold(env, *made);
                                                   return value;
                                               }));
}

Napi::Value model_binding::release_encoder(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([m = get(info.Env())] { m->release_encoder(); }));
}

Napi::Value model_binding::interrupt(const Napi::CallbackInfo & info) {
    thread.interrupt();
    return info.Env().Undefined();
}

Napi::Value model_binding::dispose(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([this] { model.reset(); },
                                               [this](Napi::Env env) {
                                                   thread.stop();
                                                   return env.Undefined();
                                               }));
}

embedding_binding::embedding_binding(const Napi::CallbackInfo & info) : Napi::ObjectWrap<embedding_binding>(info) {}

Napi::Function embedding_binding::define(Napi::Env env) {
    return DefineClass(
        env, "Embedding",
        { InstanceMethod("nTokens", &embedding_binding::n_tokens), InstanceMethod("nPos", &embedding_binding::n_pos),
          InstanceMethod("rows", &embedding_binding::rows), InstanceMethod("dispose", &embedding_binding::dispose) });
}

Napi::Value embedding_binding::n_tokens(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), embedding ? embedding->n_tokens : 0);
}

Napi::Value embedding_binding::n_pos(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), embedding ? embedding->n_pos : 0);
}

Napi::Value embedding_binding::rows(const Napi::CallbackInfo & info) {
    Napi::Float32Array values = Napi::Float32Array::New(info.Env(), embedding ? embedding->data.size() : 0);
    if (embedding) {
        std::copy(embedding->data.begin(), embedding->data.end(), values.Data());
    }
    return values;
}

Napi::Value embedding_binding::dispose(const Napi::CallbackInfo & info) {
    hold(info.Env(), nullptr);
    return info.Env().Undefined();
}

void embedding_binding::Finalize(Napi::Env env) {
    hold(env, nullptr);
}

static int64_t embedding_bytes(const std::shared_ptr<const image_embedding> & image) {
    return image ? (int64_t) (image->data.size() * sizeof(float)) : 0;
}

void embedding_binding::hold(Napi::Env env, std::shared_ptr<const image_embedding> image) {
    // Lets the garbage collector know that a forgotten embedding is worth collecting.
    Napi::MemoryManagement::AdjustExternalMemory(env, embedding_bytes(image) - embedding_bytes(embedding));
    embedding = std::move(image);
}
