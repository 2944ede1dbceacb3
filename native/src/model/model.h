#pragma once

#include "llama.h"
#include "mtmd.h"
#include "vocabulary.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct llama_model_deleter {
    void operator()(llama_model * model) const { llama_model_free(model); }
};

using llama_model_ptr = std::unique_ptr<llama_model, llama_model_deleter>;

struct lora_params {
    std::string path;
    float       scale;
};

struct model_params {
    std::string              path;
    std::string              mmproj_path;
    bool                     use_mmap;
    int32_t                  n_gpu_layers;
    std::vector<std::string> devices;  // the GPUs layers and vision tower may go to
    bool                     projector_on_gpu;
    int32_t                  n_threads;
    llama_flash_attn_type    vision_flash_attn;
    int32_t                  image_min_tokens;
    int32_t                  image_max_tokens;
    std::vector<lora_params> loras;
};

// Bytes of one device, or of host memory.
struct device_memory {
    std::string device;
    size_t      model   = 0;
    size_t      context = 0;
    size_t      compute = 0;
};

// By device, in no particular order; buffers of the same device are added up.
std::vector<device_memory> context_memory(const llama_context * ctx);

// What the vision tower made of one image. Immutable, so any number of contexts may read it at once.
struct image_embedding {
    int32_t               n_tokens;
    llama_pos             n_pos;  // M-RoPE positions it takes: the longer side in tokens
    std::vector<float>    data;   // [n_tokens][llama_model_n_embd_inp]
    mtmd::input_chunk_ptr chunk;  // without pixels: only for its positions
};

// The text model, the vision tower and the adapters: everything that is read only once it is loaded.
class vlm_model {
  public:
    // Throws MODEL_LOAD. `on_progress` gets 0..1 over both files; a set `interrupted` ends the load with a failure.
    vlm_model(const model_params &               params,
              std::atomic<bool> *                interrupted,
              const std::function<void(float)> & on_progress);

    // One image at a time. `rgb` holds width * height * 3 bytes, both sides multiples of cell_px().
    std::shared_ptr<const image_embedding> encode_image(const std::vector<uint8_t> & rgb,
                                                        uint32_t                     width,
                                                        uint32_t                     height);

    // Side of the square of pixels that becomes one token of an image.
    uint32_t cell_px() const { return token_px; }

    // Gives the vision tower's memory back; the next image loads it again.
    void release_encoder();

    std::vector<llama_token> tokenize(const std::string & text, bool parse_special) const;

    // Special tokens are spelled out.
    std::string detokenize(const llama_token * tokens, size_t n_tokens) const;
    std::string token_text(llama_token token) const;

    llama_model * get() const { return model.get(); }

    const llama_vocab * vocab() const { return llama_model_get_vocab(model.get()); }

    int32_t n_vocab() const { return llama_vocab_n_tokens(vocab()); }

    const model_params & params() const { return load_params; }

    std::vector<device_memory> memory() const;

    std::vector<llama_adapter_lora *> & lora_adapters() { return loras; }

    // Made when first asked for, on whichever thread.
    const vocabulary_index & vocabulary() const;

    // Distinguishes models with their adapters, for saved sessions: the same files and scales give the same number.
    uint64_t fingerprint() const { return content_hash; }

  private:
    void load_text(const std::function<bool(float)> & progress);
    void load_vision(const std::function<bool(float)> & progress);
    void read_vision_header();
    void load_loras();
    void measure_memory();
    bool vision_checkpoint(const ggml_tensor * tensor, bool ask);

    model_params                      load_params;
    std::atomic<bool> *               interrupted;
    llama_model_ptr                   model;
    mtmd::context_ptr                 vision;
    std::vector<llama_adapter_lora *> loras;  // owned by the model
    device_memory                     vision_memory;
    uint32_t                          token_px = 0;
    std::atomic<bool>                 vision_loaded{ false };
    std::vector<device_memory>        text_memory;
    uint64_t                          content_hash          = 0;
    double                            work_since_checkpoint = 0;

    mutable std::once_flag                    vocabulary_once;
    mutable std::unique_ptr<vocabulary_index> vocabulary_made;
};
