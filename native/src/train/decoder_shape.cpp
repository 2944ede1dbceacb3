#include "decoder_shape.h"

#include "support/failure.h"

static constexpr const char * architecture = "qwen2vl";

static int64_t require_key(const gguf_context * file, const std::string & key, const std::string & path) {
    const int64_t id = gguf_find_key(file, key.c_str());
    if (id < 0) {
        throw failure(error_code::MODEL_UNSUPPORTED, path + " has no " + key);
    }
    return id;
}

static int64_t read_size(const gguf_context * file, const std::string & name, const std::string & path) {
    const std::string key = std::string(architecture) + "." + name;
    const int64_t     id  = require_key(file, key, path);
    if (gguf_get_kv_type(file, id) != GGUF_TYPE_UINT32) {
        throw failure(error_code::MODEL_UNSUPPORTED, path + ": " + key + " is no 32-bit number");
    }
    return gguf_get_val_u32(file, id);
}

decoder_shape read_shape(const gguf_context * file, const std::string & path) {
    const int64_t     arch_id = require_key(file, "general.architecture", path);
    const std::string arch    = gguf_get_val_str(file, arch_id);
    if (arch != architecture) {
        throw failure(error_code::MODEL_UNSUPPORTED, path + " is a model of architecture " + arch +
                                                         "; training inside Framewright is for " + architecture +
                                                         " (Qwen2-VL and Qwen2.5-VL)");
    }
    decoder_shape shape;
    shape.n_layer              = read_size(file, "block_count", path);
    shape.n_embd               = read_size(file, "embedding_length", path);
    shape.n_ff                 = read_size(file, "feed_forward_length", path);
    shape.n_head               = read_size(file, "attention.head_count", path);
    const std::string kv_heads = std::string(architecture) + ".attention.head_count_kv";
    shape.n_head_kv =
        gguf_find_key(file, kv_heads.c_str()) < 0 ? shape.n_head : read_size(file, "attention.head_count_kv", path);
    const int64_t freq_id    = gguf_find_key(file, (std::string(architecture) + ".rope.freq_base").c_str());
    shape.rope_freq_base     = freq_id < 0 ? 10000.0f : gguf_get_val_f32(file, freq_id);
    const int64_t section_id = require_key(file, std::string(architecture) + ".rope.dimension_sections", path);
    const size_t  n_sections = gguf_get_arr_n(file, section_id);
    const auto *  sections   = (const int32_t *) gguf_get_arr_data(file, section_id);
    for (size_t i = 0; i < shape.rope_sections.size(); i++) {
        shape.rope_sections[i] = i < n_sections ? sections[i] : 0;
    }
    const int64_t embd_id = gguf_find_tensor(file, "token_embd.weight");
    if (embd_id < 0) {
        throw failure(error_code::MODEL_UNSUPPORTED, path + " has no tensor token_embd.weight");
    }
    shape.n_vocab = gguf_get_tensor_ne(file, embd_id)[1];
    return shape;
}
