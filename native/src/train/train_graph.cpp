#include "train_graph.h"

// Nodes of a layer with everything: 70 forward, 70 forward again, 130 back (counted on a graph, 2026-11).
static constexpr size_t nodes_per_layer = 320;
static constexpr size_t nodes_beside    = 64;

int64_t padded_tokens(int64_t n_tokens) {
    return (n_tokens + token_padding - 1) / token_padding * token_padding;
}

ggml_tensor * train_graph::input(ggml_type type, int64_t ne0, int64_t ne1) {
    ggml_tensor * tensor = ggml_new_tensor_2d(ctx.get(), type, ne0, ne1);
    ggml_set_input(tensor);
    return tensor;
}

train_graph::train_graph(const frozen_weights & base,
                         const lora_weights &   lora,
                         int64_t                n_tokens,
                         int64_t                n_rows,
                         graph_kind             kind,
                         bool                   own_products) {
    const decoder_shape & shape   = base.shape();
    const size_t          n_layer = (size_t) shape.n_layer;
    capacity                      = n_layer * nodes_per_layer + nodes_beside;
    const size_t bytes            = capacity * ggml_tensor_overhead() + 3 * ggml_graph_overhead_custom(capacity, false);
    ctx.reset(ggml_init({ bytes, nullptr, /*no_alloc*/ true }));
    whole = ggml_new_graph_custom(ctx.get(), capacity, false);

    x         = input(GGML_TYPE_F32, shape.n_embd, n_tokens);
    positions = input(GGML_TYPE_I32, 4 * n_tokens, 1);
    mask      = input(GGML_TYPE_F32, n_tokens, n_tokens);
    rows      = input(GGML_TYPE_I32, n_rows, 1);

    layer_builder           builder(ctx.get(), whole, base, lora, { positions, mask }, own_products);
    const products          product{ ctx.get(), own_products };
    std::vector<kept_layer> kept;
    ggml_tensor *           cur = x;
    for (size_t i = 0; i < n_layer; i++) {
        kept.push_back(builder.forward(i, cur));
        cur = kept.back().out;
        ggml_build_forward_expand(whole, cur);
    }
    ggml_tensor * last   = ggml_get_rows(ctx.get(), cur, rows);  // [n_embd, m]
    ggml_tensor * normed = ggml_mul(ctx.get(), ggml_rms_norm(ctx.get(), last, norm_epsilon), base.output_norm);
    logits               = product.mul_mat(base.output.weight, normed);
    if (base.output.bias) {
        logits = ggml_add(ctx.get(), logits, base.output.bias);
    }
    ggml_set_output(logits);
    ggml_build_forward_expand(whole, logits);
    const int n_forward = ggml_graph_n_nodes(whole);
    if (kind == graph_kind::FORWARD) {
        split(n_forward);
        return;
    }

    d_logits           = input(GGML_TYPE_F32, shape.n_vocab, n_rows);
    weight             = input(GGML_TYPE_F32, 1, 1);
    ggml_tensor * grad = product.back(base.output, d_logits);
    grad               = ggml_mul(ctx.get(), grad, base.output_norm);
    grad               = ggml_rms_norm_back(ctx.get(), grad, last, norm_epsilon);
    grad               = ggml_get_rows_back(ctx.get(), grad, rows, cur);  // [n_embd, n]
    ggml_build_forward_expand(whole, grad);
    for (size_t i = n_layer; i-- > 0;) {
        if (kind == graph_kind::RECOMPUTE) {
            kept[i] = builder.forward(i, kept[i].x);
        }
        grad = builder.backward(i, kept[i], grad, weight);
    }
    split(n_forward);
}

// Both halves are allocated as one graph, so that what the way back needs outlives the way forward.
void train_graph::split(int n_forward) {
    forward  = ggml_new_graph_custom(ctx.get(), capacity, false);
    backward = ggml_new_graph_custom(ctx.get(), capacity, false);
    for (int i = 0; i < ggml_graph_n_nodes(whole); i++) {
        ggml_graph_add_node(i < n_forward ? forward : backward, ggml_graph_node(whole, i));
    }
}
