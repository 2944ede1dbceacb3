#pragma once

#include "lora.h"
#include "products.h"

// One decoder layer as nodes of a ggml graph: what it computes, and what goes back through it. Shapes are ggml's, the
// innermost first; n is the tokens of the sequence, h the heads, g = n_head / n_head_kv those that share keys.

// What all layers read.
struct layer_inputs {
    ggml_tensor * positions;  // [4 * n] I32: M-RoPE's three of each token, and zeros
    ggml_tensor * mask;       // [n, n] F32: 0 where the row's token sees the column's, else -infinity
};

// y = W x + bias + scale * B (A x)
struct kept_linear {
    ggml_tensor * x;  // [in, n]
    ggml_tensor * h;  // [rank, n]: scale * A x; null without an adapter
};

// What the way back needs of the way forward.
struct kept_layer {
    ggml_tensor * x;      // [n_embd, n]
    ggml_tensor * q;      // [d, n * g, n_head_kv]: rotated, the heads that share keys one behind the other
    ggml_tensor * k;      // [d, n, n_head_kv]: rotated
    ggml_tensor * v;      // [d, n, n_head_kv]
    ggml_tensor * probs;  // [n, n, n_head]
    ggml_tensor * mid;    // [n_embd, n]: behind the attention
    ggml_tensor * gate;   // [n_ff, n]
    ggml_tensor * up;     // [n_ff, n]
    ggml_tensor * act;    // [n_ff, n]: silu(gate)
    kept_linear   linear[MATRIX_COUNT];
    ggml_tensor * out;    // [n_embd, n]
};

// Adds a layer's nodes to the context. Those of the way back go into the graph as they are made, with what they need of
// the way forward, unless that is there already.
class layer_builder {
  public:
    layer_builder(ggml_context *         ctx,
                  ggml_cgraph *          graph,
                  const frozen_weights & base,
                  const lora_weights &   lora,
                  const layer_inputs &   inputs,
                  bool                   own_products) :
        ctx(ctx),
        graph(graph),
        base(base),
        lora(lora),
        inputs(inputs),
        product{ ctx, own_products } {}

    kept_layer forward(size_t layer, ggml_tensor * x);

    // `grad` is of `kept.out`, `weight` [1] what this sequence's gradient counts. Adds to the gradients of the layer's
    // adapters; returns the gradient of `kept.x`, or null for the first layer, where nobody asks for it.
    ggml_tensor * backward(size_t layer, const kept_layer & kept, ggml_tensor * grad, ggml_tensor * weight);

  private:
    ggml_tensor * linear(size_t layer, matrix_id id, ggml_tensor * x, kept_linear & kept);
    ggml_tensor * linear_back(size_t              layer,
                              matrix_id           id,
                              const kept_linear & kept,
                              ggml_tensor *       grad,
                              ggml_tensor *       weight,
                              bool                wants_input);
    void          accumulate(ggml_tensor * sum, ggml_tensor * grad, ggml_tensor * weight);
    ggml_tensor * norm(ggml_tensor * x, ggml_tensor * scale);
    ggml_tensor * norm_back(ggml_tensor * grad, ggml_tensor * x, ggml_tensor * scale);
    ggml_tensor * rotate(ggml_tensor * x, bool back);
    ggml_tensor * to_heads(ggml_tensor * x, int64_t n_head);
    ggml_tensor * from_heads(ggml_tensor * x);
    ggml_tensor * attention(kept_layer & kept);
    ggml_tensor * attention_back(size_t layer, const kept_layer & kept, ggml_tensor * grad, ggml_tensor * weight);

    ggml_context *         ctx;
    ggml_cgraph *          graph;
    const frozen_weights & base;
    const lora_weights &   lora;
    layer_inputs           inputs;
    products               product;
};
