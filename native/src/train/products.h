#pragma once

#include "frozen_weights.h"
#include "gemm.h"

// Products of matrices as nodes of a graph, by ggml's kernels or by those of gemm.h.
struct products {
    ggml_context * ctx;
    bool           own;  // of gemm.h

    // As ggml_mul_mat and ggml_out_prod. ggml skips nothing.
    ggml_tensor * mul_mat(ggml_tensor * a, ggml_tensor * b, triangle skips = triangle::NONE) const;
    ggml_tensor * out_prod(ggml_tensor * a, ggml_tensor * b, triangle skips = triangle::NONE) const;

    // The gradient of x in W x, from that of the product.
    ggml_tensor * back(const frozen_matrix & matrix, ggml_tensor * grad) const;
};
