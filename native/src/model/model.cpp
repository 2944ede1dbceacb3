#include "model.h"

#include "llama-ext.h"
#include "support/backends.h"
#include "support/failure.h"
#include "support/log_sink.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

using load_progress = std::function<bool(float)>;

static bool on_load_progress(float progress, void * user_data) {
    return (*static_cast<const load_progress *>(user_data))(progress);
}

static double file_bytes(const std::string & path) {
    std::error_code error;
    const auto      size = std::filesystem::file_size(std::filesystem::u8path(path), error);
    return error ? 0.0 : (double) size;
}

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 1099511628211ull;
    return hash ^ (hash >> 29);
}

// Size and evenly spread samples of a file: tells models and adapters of the same shape apart without reading them whole.
static uint64_t hash_samples(const std::string & path) {
    static constexpr uint64_t n_samples    = 64;
    static constexpr uint64_t sample_bytes = 4096;

    std::ifstream  file(std::filesystem::u8path(path), std::ios::binary);
    const uint64_t n_bytes = (uint64_t) file_bytes(path);
    uint64_t       hash    = mix(14695981039346656037ull, n_bytes);
    for (uint64_t i = 0; i < n_samples && file; i++) {
        uint64_t words[sample_bytes / sizeof(uint64_t)] = {};
        file.seekg((std::streamoff) (n_bytes < sample_bytes ? 0 : (n_bytes - sample_bytes) / (n_samples - 1) * i));
        file.read((char *) words, sizeof(words));
        file.clear();
        for (uint64_t word : words) {
            hash = mix(hash, word);
        }
    }
    return hash;
}

vlm_model::vlm_model(const model_params &               params,
                     std::atomic<bool> *                interrupted,
                     const std::function<void(float)> & on_progress) :
    load_params(params),
    interrupted(interrupted) {
    content_hash = hash_samples(params.path);
    for (const lora_params & lora : params.loras) {
        uint32_t scale_bits;
        std::memcpy(&scale_bits, &lora.scale, sizeof(scale_bits));
        content_hash = mix(mix(content_hash, scale_bits), hash_samples(lora.path));
    }
    const double text_bytes   = file_bytes(params.path);
    const double vision_bytes = file_bytes(params.mmproj_path);
    const double text_share   = text_bytes / std::max(1.0, text_bytes + vision_bytes);
    load_text([&](float progress) {
        on_progress((float) (progress * text_share));
        return !*interrupted;
    });
    load_loras();
    load_vision([&](float progress) {
        on_progress((float) (text_share + progress * (1 - text_share)));
        return !*interrupted;
    });
    read_vision_header();
    measure_memory();
}

void vlm_model::load_text(const load_progress & progress) {
    std::vector<ggml_backend_dev_t> devices;
    if (load_params.n_gpu_layers != 0) {
        devices = devices_by_name(load_params.devices);
    }
    devices.push_back(nullptr);

    llama_model_params params          = llama_model_default_params();
    params.devices                     = devices.data();
    params.n_gpu_layers                = load_params.n_gpu_layers;
    params.load_mode                   = load_params.use_mmap ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
    params.progress_callback           = on_load_progress;
    params.progress_callback_user_data = const_cast<load_progress *>(&progress);

    log_scope scope;
    model.reset(llama_model_load_from_file(load_params.path.c_str(), params));
    if (!model) {
        throw failure(error_code::MODEL_LOAD,
                      "cannot load model " + load_params.path + ": " + scope.reason("llama.cpp refused it"));
    }
}

void vlm_model::load_loras() {
    for (const lora_params & lora : load_params.loras) {
        log_scope            scope;
        llama_adapter_lora * adapter = llama_adapter_lora_init(model.get(), lora.path.c_str());
        if (!adapter) {
            throw failure(error_code::MODEL_LOAD, "cannot load LoRA adapter " + lora.path + " for model " +
                                                      load_params.path + ": " + scope.reason("llama.cpp refused it"));
        }
        loras.push_back(adapter);
    }
}

std::vector<llama_token> vlm_model::tokenize(const std::string & text, bool parse_special) const {
    std::vector<llama_token> tokens(text.size() + 1);
    int32_t n = llama_tokenize(vocab(), text.data(), (int32_t) text.size(), tokens.data(), (int32_t) tokens.size(),
                               false, parse_special);
    if (n < 0) {
        tokens.resize((size_t) -n);
        n = llama_tokenize(vocab(), text.data(), (int32_t) text.size(), tokens.data(), (int32_t) tokens.size(), false,
                           parse_special);
    }
    tokens.resize((size_t) std::max(n, 0));
    return tokens;
}

std::string vlm_model::token_text(llama_token token) const {
    char          buffer[256];
    const int32_t n = llama_token_to_piece(vocab(), token, buffer, sizeof(buffer), 0, true);
    if (n >= 0) {
        return std::string(buffer, (size_t) n);
    }
    std::string text((size_t) -n, '\0');
    llama_token_to_piece(vocab(), token, text.data(), -n, 0, true);
    return text;
}

std::string vlm_model::detokenize(const llama_token * tokens, size_t n_tokens) const {
    std::string text;
    for (size_t i = 0; i < n_tokens; i++) {
        text += token_text(tokens[i]);
    }
    return text;
}

const vocabulary_index & vlm_model::vocabulary() const {
    std::call_once(vocabulary_once, [this] { vocabulary_made = std::make_unique<vocabulary_index>(vocab()); });
    return *vocabulary_made;
}

static std::string memory_name(ggml_backend_buffer_type_t type) {
    ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
    return device && !ggml_backend_buft_is_host(type) ? ggml_backend_dev_name(device) : "CPU";
}

std::vector<device_memory> context_memory(const llama_context * ctx) {
    std::map<std::string, device_memory> by_name;
    for (const auto & [type, bytes] : llama_get_memory_breakdown(ctx)) {
        device_memory & entry = by_name[memory_name(type)];
        entry.model += bytes.model;
        entry.context += bytes.context;
        entry.compute += bytes.compute;
    }
    std::vector<device_memory> result;
    for (auto & [name, entry] : by_name) {
        entry.device = name;
        result.push_back(entry);
    }
    return result;
}

// llama.cpp tells a model's memory only through a context: the smallest one is made and thrown away.
void vlm_model::measure_memory() {
    llama_context_params params = llama_context_default_params();
    params.n_ctx                = 256;
    params.n_batch              = 1;
    params.n_ubatch             = 1;
    params.n_threads            = 1;
    params.n_threads_batch      = 1;
    std::unique_ptr<llama_context, decltype(&llama_free)> probe(llama_init_from_model(model.get(), params), llama_free);
    std::map<std::string, device_memory>                  by_name;
    if (probe) {
        for (const device_memory & entry : context_memory(probe.get())) {
            by_name[entry.device].model += entry.model;
        }
    }
    for (auto & [name, entry] : by_name) {
        entry.device = name;
        text_memory.push_back(entry);
    }
}

std::vector<device_memory> vlm_model::memory() const {
    std::vector<device_memory> result = text_memory;
    if (!vision_loaded) {
        return result;
    }
    for (device_memory & entry : result) {
        if (entry.device == vision_memory.device) {
            entry.model += vision_memory.model;
            return result;
        }
    }
    result.push_back(vision_memory);
    return result;
}
