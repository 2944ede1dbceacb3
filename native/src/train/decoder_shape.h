#pragma once

#include "gguf.h"

#include <array>
#include <cstdint>
#include <string>

// Sizes of a Qwen2.5-VL text model, as its GGUF file tells them.
struct decoder_shape {
    int64_t            n_layer;
    int64_t            n_embd;
    int64_t            n_head;
    int64_t            n_head_kv;
    int64_t            n_ff;
    int64_t            n_vocab;
    float              rope_freq_base;
    std::array<int, 4> rope_sections;

    int64_t head_dim() const { return n_embd / n_head; }

    int64_t n_embd_kv() const { return head_dim() * n_head_kv; }
};

// llama.cpp's loader of this architecture leaves the epsilon of the norms at zero whatever the file says (its
// src/models/qwen2vl.cpp), and what is trained must be what runs.
constexpr float norm_epsilon = 0.0f;

// Throws MODEL_UNSUPPORTED for another architecture, and for what the trainer does not do. `path` is for messages.
decoder_shape read_shape(const gguf_context * file, const std::string & path);
