#include "layer.h"

#include <algorithm>
#include <cmath>

ggml_tensor * layer_builder::linear(size_t layer, matrix_id id, ggml_tensor * x, kept_linear & kept) {
    const frozen_matrix & matrix = base.layer(layer).matrices[id];
    const lora_pair *     pair   = lora.at(layer, id);
    ggml_tensor *         y      = product.mul_mat(matrix.weight, x);
    kept                         = { x, nullptr };
    if (pair) {
        kept.h          = ggml_scale(ctx, product.mul_mat(pair->a, x), lora.shape().scale);
        ggml_tensor * b = ggml_cont(ctx, ggml_transpose(ctx, pair->bt));  // [rank, out]
        y               = ggml_add(ctx, y, product.mul_mat(b, kept.h));
    }
    return matrix.bias ? ggml_add(ctx, y, matrix.bias) : y;
}

void layer_builder::accumulate(ggml_tensor * sum, ggml_tensor * grad, ggml_tensor * weight) {
    ggml_build_forward_expand(graph, ggml_add_inplace(ctx, sum, ggml_mul(ctx, grad, weight)));
}

ggml_tensor * layer_builder::linear_back(size_t              layer,
                                         matrix_id           id,
                                         const kept_linear & kept,
                                         ggml_tensor *       grad,
                                         ggml_tensor *       weight,
                                         bool                wants_input) {
    const frozen_matrix & matrix = base.layer(layer).matrices[id];
    const lora_pair *     pair   = lora.at(layer, id);
    ggml_tensor *         dx     = wants_input ? product.back(matrix, grad) : nullptr;
    if (!pair) {
        return dx;
    }
    ggml_tensor * dh = ggml_scale(ctx, product.mul_mat(pair->bt, grad), lora.shape().scale);  // [rank, n]
    accumulate(pair->grad_bt, product.out_prod(grad, kept.h), weight);
    accumulate(pair->grad_a, product.out_prod(kept.x, dh), weight);
    if (!wants_input) {
        return nullptr;
    }
    ggml_tensor * at = ggml_cont(ctx, ggml_transpose(ctx, pair->a));  // [rank, in]
    return ggml_add(ctx, dx, product.mul_mat(at, dh));
}

ggml_tensor * layer_builder::norm(ggml_tensor * x, ggml_tensor * scale) {
    return ggml_mul(ctx, ggml_rms_norm(ctx, x, norm_epsilon), scale);
}

ggml_tensor * layer_builder::norm_back(ggml_tensor * grad, ggml_tensor * x, ggml_tensor * scale) {
    return ggml_rms_norm_back(ctx, ggml_mul(ctx, grad, scale), x, norm_epsilon);
}

// x is [d, heads, n].
ggml_tensor * layer_builder::rotate(ggml_tensor * x, bool back) {
    const decoder_shape & shape = base.shape();
    int                   sections[GGML_MROPE_SECTIONS];
    std::copy(shape.rope_sections.begin(), shape.rope_sections.end(), sections);
    const auto rope = back ? ggml_rope_multi_back : ggml_rope_multi;
    return rope(ctx, x, inputs.positions, nullptr, (int) shape.head_dim(), sections, GGML_ROPE_TYPE_MROPE, 0,
                shape.rope_freq_base, 1.0f, 0.0f, 1.0f, 32.0f, 1.0f);
}

// [d * heads, n] -> [d, heads, n]
ggml_tensor * layer_builder::to_heads(ggml_tensor * x, int64_t n_head) {
    return ggml_reshape_3d(ctx, x, base.shape().head_dim(), n_head, x->ne[1]);
}

// [d, n, heads] -> [d, heads, n], and back.
ggml_tensor * layer_builder::from_heads(ggml_tensor * x) {
    return ggml_cont(ctx, ggml_permute(ctx, x, 0, 2, 1, 3));
}

ggml_tensor * layer_builder::attention(kept_layer & kept) {
    const decoder_shape & shape = base.shape();
    const int64_t         n     = kept.k->ne[1];
    const float           scale = 1.0f / std::sqrt((float) shape.head_dim());

    ggml_tensor * scores = product.mul_mat(kept.k, kept.q, triangle::RESULT);  // [n, n * g, n_head_kv]
    scores               = ggml_reshape_3d(ctx, scores, n, n, shape.n_head);
    kept.probs           = ggml_soft_max_ext(ctx, scores, inputs.mask, scale, 0.0f);

    ggml_tensor * probs = ggml_reshape_3d(ctx, kept.probs, n, kept.q->ne[1], shape.n_head_kv);
    ggml_tensor * vt    = ggml_cont(ctx, ggml_transpose(ctx, kept.v));  // [n, d, n_head_kv]
    ggml_tensor * y     = product.mul_mat(vt, probs, triangle::SUM);    // [d, n * g, n_head_kv]
    y                   = ggml_reshape_3d(ctx, y, shape.head_dim(), n, shape.n_head);
    return ggml_reshape_2d(ctx, from_heads(y), shape.n_embd, n);
}

kept_layer layer_builder::forward(size_t layer, ggml_tensor * x) {
    const decoder_shape & shape   = base.shape();
    const frozen_layer &  weights = base.layer(layer);
    const int64_t         n       = x->ne[1];
    kept_layer            kept    = {};
    kept.x                        = x;

    ggml_tensor * normed = norm(x, weights.attn_norm);
    ggml_tensor * q      = linear(layer, MATRIX_Q, normed, kept.linear[MATRIX_Q]);
    ggml_tensor * k      = linear(layer, MATRIX_K, normed, kept.linear[MATRIX_K]);
    ggml_tensor * v      = linear(layer, MATRIX_V, normed, kept.linear[MATRIX_V]);
    q                    = from_heads(rotate(to_heads(q, shape.n_head), false));  // [d, n, n_head]
    kept.q = ggml_reshape_3d(ctx, q, shape.head_dim(), n * (shape.n_head / shape.n_head_kv), shape.n_head_kv);
    kept.k = from_heads(rotate(to_heads(k, shape.n_head_kv), false));
    kept.v = from_heads(to_heads(v, shape.n_head_kv));

    ggml_tensor * attended = linear(layer, MATRIX_O, attention(kept), kept.linear[MATRIX_O]);
    kept.mid               = ggml_add(ctx, attended, x);

    normed            = norm(kept.mid, weights.ffn_norm);
    kept.gate         = linear(layer, MATRIX_GATE, normed, kept.linear[MATRIX_GATE]);
    kept.up           = linear(layer, MATRIX_UP, normed, kept.linear[MATRIX_UP]);
    kept.act          = ggml_silu(ctx, kept.gate);
    ggml_tensor * mul = ggml_mul(ctx, kept.act, kept.up);
    kept.out          = ggml_add(ctx, linear(layer, MATRIX_DOWN, mul, kept.linear[MATRIX_DOWN]), kept.mid);
    return kept;
}

// `grad` [n_embd, n] is of the attention's output, before W_o. Returns the gradient of the normed input.
ggml_tensor * layer_builder::attention_back(size_t             layer,
                                            const kept_layer & kept,
                                            ggml_tensor *      grad,
                                            ggml_tensor *      weight) {
    const decoder_shape & shape       = base.shape();
    const int64_t         n           = kept.k->ne[1];
    const float           scale       = 1.0f / std::sqrt((float) shape.head_dim());
    const bool            wants_input = layer > 0;

    ggml_tensor * dy    = from_heads(to_heads(grad, shape.n_head));  // [d, n, n_head]
    dy                  = ggml_reshape_3d(ctx, dy, shape.head_dim(), kept.q->ne[1], shape.n_head_kv);
    ggml_tensor * probs = ggml_reshape_3d(ctx, kept.probs, n, kept.q->ne[1], shape.n_head_kv);
    ggml_tensor * dv    = product.out_prod(dy, probs, triangle::SUM_AFTER);  // [d, n, n_head_kv]
    dv                  = ggml_reshape_2d(ctx, from_heads(dv), shape.n_embd_kv(), n);
    ggml_tensor * dx    = linear_back(layer, MATRIX_V, kept.linear[MATRIX_V], dv, weight, wants_input);

    // Over the view of the probabilities: the allocator would let the result lie where its last source lies, and SOFT_MAX_BACK
    // reads that again after it has written (ggml, 2026-11). It never does so with a view.
    ggml_tensor * dprobs  = product.mul_mat(kept.v, dy, triangle::RESULT);  // [n, n * g, n_head_kv]
    ggml_tensor * dscores = ggml_soft_max_ext_back(ctx, dprobs, probs, scale, 0.0f);

    ggml_tensor * dk  = product.out_prod(kept.q, dscores, triangle::SUM_AFTER);  // [d, n, n_head_kv]
    dk                = ggml_reshape_2d(ctx, rotate(from_heads(dk), true), shape.n_embd_kv(), n);
    ggml_tensor * dxk = linear_back(layer, MATRIX_K, kept.linear[MATRIX_K], dk, weight, wants_input);

    ggml_tensor * kt  = ggml_cont(ctx, ggml_transpose(ctx, kept.k));  // [n, d, n_head_kv]
    ggml_tensor * dq  = product.mul_mat(kt, dscores, triangle::SUM);  // [d, n * g, n_head_kv]
    dq                = ggml_reshape_3d(ctx, dq, shape.head_dim(), n, shape.n_head);
    dq                = ggml_reshape_2d(ctx, rotate(from_heads(dq), true), shape.n_embd, n);
    ggml_tensor * dxq = linear_back(layer, MATRIX_Q, kept.linear[MATRIX_Q], dq, weight, wants_input);
    return wants_input ? ggml_add(ctx, ggml_add(ctx, dx, dxk), dxq) : nullptr;
}

ggml_tensor * layer_builder::backward(size_t layer, const kept_layer & kept, ggml_tensor * grad, ggml_tensor * weight) {
    const frozen_layer & weights = base.layer(layer);

    ggml_tensor * dmul  = linear_back(layer, MATRIX_DOWN, kept.linear[MATRIX_DOWN], grad, weight, true);
    ggml_tensor * dup   = ggml_mul(ctx, dmul, kept.act);
    ggml_tensor * dgate = ggml_silu_back(ctx, ggml_mul(ctx, dmul, kept.up), kept.gate);
    ggml_tensor * dx    = ggml_add(ctx, linear_back(layer, MATRIX_UP, kept.linear[MATRIX_UP], dup, weight, true),
                                   linear_back(layer, MATRIX_GATE, kept.linear[MATRIX_GATE], dgate, weight, true));
    ggml_tensor * dmid  = ggml_add(ctx, norm_back(dx, kept.mid, weights.ffn_norm), grad);
    ggml_build_forward_expand(graph, dmid);

    ggml_tensor * dattended = linear_back(layer, MATRIX_O, kept.linear[MATRIX_O], dmid, weight, true);
    dx                      = attention_back(layer, kept, dattended, weight);
    if (!dx) {
        return nullptr;
    }
    dx = ggml_add(ctx, norm_back(dx, kept.x, weights.attn_norm), dmid);
    ggml_build_forward_expand(graph, dx);
    return dx;
}
