#pragma once

#include "layer.h"
#include "sample.h"

// Sequences are filled up to a multiple of this: ggml's fast matrix products on a CPU take eight floats at a time.
constexpr int64_t token_padding = 8;

int64_t padded_tokens(int64_t n_tokens);

enum class graph_kind {
    FORWARD,    // log-probabilities alone
    KEEP,       // and back, everything the way back needs kept
    RECOMPUTE,  // and back, each layer computed anew from its input
};

// The whole model over one sequence as a ggml graph. The way forward ends with logits, which are looked at outside; the
// way back begins with their gradient.
class train_graph {
  public:
    // `n_tokens` is padded.
    train_graph(const frozen_weights & base,
                const lora_weights &   lora,
                int64_t                n_tokens,
                int64_t                n_rows,
                graph_kind             kind,
                bool                   own_products);

    // Inputs.
    ggml_tensor * x         = nullptr;  // [n_embd, n]
    ggml_tensor * positions = nullptr;  // [4 * n] I32
    ggml_tensor * mask      = nullptr;  // [n, n]
    ggml_tensor * rows      = nullptr;  // [m] I32
    ggml_tensor * d_logits  = nullptr;  // [n_vocab, m]
    ggml_tensor * weight    = nullptr;  // [1]
    // Output.
    ggml_tensor * logits    = nullptr;  // [n_vocab, m]

    ggml_cgraph * whole    = nullptr;   // for the allocator
    ggml_cgraph * forward  = nullptr;
    ggml_cgraph * backward = nullptr;

  private:
    ggml_tensor * input(ggml_type type, int64_t ne0, int64_t ne1);
    void          split(int n_forward);

    ggml_context_ptr ctx;
    size_t           capacity;
};
