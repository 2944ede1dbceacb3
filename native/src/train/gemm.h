#pragma once

#include "ggml-backend.h"
#include "ggml.h"

// Whether a CPU backend gains by the products of this file: it computes with AVX2 and FMA but without AVX-512, for which
// ggml's own kernel is as fast. Three times as fast as ggml's there (384 x 896 x 512, one core of a Zen 3, 2026-11).
bool gemm_gains(ggml_backend_dev_t device);

// What is known to be zero, or of no use, in products over the tokens of a sequence, none of which sees a later one. Their
// heads stand one behind the other: n or k is taken modulo the tokens of one.
enum class triangle {
    NONE,
    RESULT,     // of a token n, results m > n are of no use: they become zero
    SUM,        // b is zero for k > n
    SUM_AFTER,  // b is zero for k < n
};

// ggml_mul_mat of two F32 tensors: a [k, m, batches], b [k, n, batches] -> [m, n, batches].
ggml_tensor * gemm_mul_mat(ggml_context * ctx, ggml_tensor * a, ggml_tensor * b, triangle skips = triangle::NONE);

// ggml_out_prod of two F32 tensors: a [m, k, batches], b [n, k, batches] -> [m, n, batches].
ggml_tensor * gemm_out_prod(ggml_context * ctx, ggml_tensor * a, ggml_tensor * b, triangle skips = triangle::NONE);

// Back through a matrix: w [m, k] of any type that has floats, b [k, n] in F32 -> [m, n]. What is quantised becomes floats
// piece by piece as it is read, so that no transposed copy is needed and nothing is rounded.
ggml_tensor * gemm_back(ggml_context * ctx, ggml_tensor * w, ggml_tensor * b);
