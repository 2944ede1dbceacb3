#include "products.h"

ggml_tensor * products::mul_mat(ggml_tensor * a, ggml_tensor * b, triangle skips) const {
    // What is quantised is multiplied as the runtime multiplies it: the model that is trained is the one that is used.
    return own && a->type == GGML_TYPE_F32 ? gemm_mul_mat(ctx, a, b, skips) : ggml_mul_mat(ctx, a, b);
}

ggml_tensor * products::out_prod(ggml_tensor * a, ggml_tensor * b, triangle skips) const {
    return own ? gemm_out_prod(ctx, a, b, skips) : ggml_out_prod(ctx, a, b);
}

ggml_tensor * products::back(const frozen_matrix & matrix, ggml_tensor * grad) const {
    return own ? gemm_back(ctx, matrix.weight, grad) : ggml_mul_mat(ctx, matrix.transposed, grad);
}
