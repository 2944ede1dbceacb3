#include "gemm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#    define GEMM_TARGET __attribute__((target("avx2,fma")))
#    define GEMM_VECTOR
#endif

bool gemm_gains(ggml_backend_dev_t device) {
#ifdef GEMM_VECTOR
    // Of the backend's variant, not of the processor: who chose one without AVX2 gets none.
    const auto features = (ggml_backend_get_features_t) ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(device), "ggml_backend_get_features");
    bool avx2   = false;
    bool fma    = false;
    bool avx512 = false;
    for (auto * feature = features ? features(ggml_backend_dev_backend_reg(device)) : nullptr; feature && feature->name;
         feature++) {
        avx2 |= std::strcmp(feature->name, "AVX2") == 0;
        fma |= std::strcmp(feature->name, "FMA") == 0;
        avx512 |= std::strcmp(feature->name, "AVX512") == 0;
    }
    return avx2 && fma && !avx512;
#else
    (void) device;
    return false;
#endif
}

#ifdef GEMM_VECTOR

typedef float floats8 __attribute__((vector_size(32), aligned(4)));

// A tile of 6 x 16 results takes 12 of the 16 vector registers.
static constexpr int64_t tile_n  = 6;
static constexpr int64_t tile_m  = 16;
// A block of a, [block_k][block_m] floats, fits a second-level cache of 512 KB with room for what streams by.
static constexpr int64_t block_k = 256;
static constexpr int64_t block_m = 256;

// A matrix seen as rows of k: element (row, k) is at data + row * row_step + k * k_step.
struct operand {
    const float *       data;
    int64_t             row_step;
    int64_t             k_step;
    const ggml_tensor * encoded = nullptr;  // in place of all that: [rows, k], of another type than F32
};

// `width` rows side by side for each k: out[k][width]. Rows that are not there are zeros.
static void
pack(const operand & from, int64_t row, int64_t n_rows, int64_t k0, int64_t nk, int64_t width, float * out) {
    const float * start = from.data + row * from.row_step + k0 * from.k_step;
    for (int64_t k = 0; k < nk; k++) {
        for (int64_t i = 0; i < n_rows; i++) {
            out[k * width + i] = start[i * from.row_step + k * from.k_step];
        }
        for (int64_t i = n_rows; i < width; i++) {
            out[k * width + i] = 0;
        }
    }
}

// The same of rows m0 to m0 + nm, 16 at a time, of a matrix that has to be decoded: out[m / 16][k][16].
static void pack_encoded(const ggml_tensor * from, int64_t m0, int64_t nm, int64_t k0, int64_t nk, float * out) {
    const ggml_type_traits * traits = ggml_get_type_traits(from->type);
    float                    values[block_m];
    for (int64_t k = 0; k < nk; k++) {
        const char * row = (const char *) from->data + (size_t) (k0 + k) * from->nb[1];
        traits->to_float(row + ggml_row_size(from->type, m0), values, nm);
        for (int64_t m = 0; m < nm; m += tile_m) {
            float * to = out + m * nk + k * tile_m;
            for (int64_t i = 0; i < tile_m; i++) {
                to[i] = m + i < nm ? values[m + i] : 0;
            }
        }
    }
}

// tile[n][m] = sum over k of b[k][n] * a[k][m].
GEMM_TARGET static void multiply_tile(const float * a, const float * b, int64_t nk, float * tile) {
    floats8 sum[tile_n][2] = {};
    for (int64_t k = 0; k < nk; k++) {
        const floats8 low  = *(const floats8 *) (a + k * tile_m);
        const floats8 high = *(const floats8 *) (a + k * tile_m + 8);
#    pragma GCC unroll 6
        for (int64_t n = 0; n < tile_n; n++) {
            const float   value  = b[k * tile_n + n];
            const floats8 spread = { value, value, value, value, value, value, value, value };
            sum[n][0] += low * spread;
            sum[n][1] += high * spread;
        }
    }
    for (int64_t n = 0; n < tile_n; n++) {
        *(floats8 *) (tile + n * tile_m)     = sum[n][0];
        *(floats8 *) (tile + n * tile_m + 8) = sum[n][1];
    }
}

static void add_tile(const float * tile, float * c, int64_t c_step, int64_t n_rows, int64_t n_columns) {
    for (int64_t n = 0; n < n_rows; n++) {
        for (int64_t m = 0; m < n_columns; m++) {
            c[n * c_step + m] += tile[n * tile_m + m];
        }
    }
}

// The part [from, to) of a block of k that counts for a tile's rows n to n + n_rows.
struct span {
    int64_t from;
    int64_t to;
};

static span
useful_k(triangle skips, int64_t n, int64_t n_rows, int64_t k0, int64_t nk, int64_t n_total, int64_t k_total) {
    if (skips == triangle::SUM && n / k_total == (n + n_rows - 1) / k_total) {
        return { 0, std::min(nk, (n + n_rows - 1) % k_total + 1 - k0) };
    }
    if (skips == triangle::SUM_AFTER && k0 / n_total == (k0 + nk - 1) / n_total) {
        return { std::max<int64_t>(0, n - k0 % n_total), nk };
    }
    return { 0, nk };
}

// How many of m_total results are of use to those rows.
static int64_t useful_m(triangle skips, int64_t n, int64_t n_rows, int64_t m_total) {
    if (skips == triangle::RESULT && n / m_total == (n + n_rows - 1) / m_total) {
        return (n + n_rows - 1) % m_total + 1;
    }
    return m_total;
}

struct product_shape {
    int64_t  m;
    int64_t  n;
    int64_t  k;
    triangle skips;
};

// c[n][m] = sum over k of a(m, k) * b(n, k), for n from n0 to n1; rows of c are c_step apart.
static void multiply(const operand &       a,
                     const operand &       b,
                     float *               c,
                     int64_t               c_step,
                     const product_shape & shape,
                     int64_t               n0,
                     int64_t               n1) {
    thread_local std::vector<float> packed_a(block_k * block_m);
    thread_local std::vector<float> packed_b(block_k * tile_n);
    float                           tile[tile_n * tile_m];
    for (int64_t n = n0; n < n1; n++) {
        std::fill_n(c + n * c_step, shape.m, 0.0f);
    }
    for (int64_t k0 = 0; k0 < shape.k; k0 += block_k) {
        const int64_t nk = std::min(block_k, shape.k - k0);
        for (int64_t m0 = 0; m0 < shape.m; m0 += block_m) {
            const int64_t nm = std::min(block_m, shape.m - m0);
            if (a.encoded) {
                pack_encoded(a.encoded, m0, nm, k0, nk, packed_a.data());
            }
            for (int64_t m = 0; m < nm && !a.encoded; m += tile_m) {
                pack(a, m0 + m, std::min(tile_m, nm - m), k0, nk, tile_m, &packed_a[(size_t) (m * nk)]);
            }
            for (int64_t n = n0; n < n1; n += tile_n) {
                const int64_t n_rows = std::min(tile_n, n1 - n);
                const span    ks     = useful_k(shape.skips, n, n_rows, k0, nk, shape.n, shape.k);
                const int64_t m_end  = std::min(nm, useful_m(shape.skips, n, n_rows, shape.m) - m0);
                if (ks.from >= ks.to || m_end <= 0) {
                    continue;
                }
                const int64_t n_useful = ks.to - ks.from;
                pack(b, n, n_rows, k0 + ks.from, n_useful, tile_n, packed_b.data());
                for (int64_t m = 0; m < m_end; m += tile_m) {
                    multiply_tile(&packed_a[(size_t) (m * nk + ks.from * tile_m)], packed_b.data(), n_useful, tile);
                    add_tile(tile, c + n * c_step + m0 + m, c_step, n_rows, std::min(tile_m, nm - m));
                }
            }
        }
    }
}

static int64_t step(const ggml_tensor * tensor, int axis) {
    return (int64_t) (tensor->nb[axis] / sizeof(float));
}

// Rows of k along axis 1, or along axis 0.
static operand rows_of(const ggml_tensor * tensor, int64_t batch, bool along_0) {
    const char * data = (const char *) tensor->data + (size_t) batch * tensor->nb[2];
    return { (const float *) data, step(tensor, along_0 ? 0 : 1), step(tensor, along_0 ? 1 : 0) };
}

// The threads share the rows of all batches, in whole tiles.
static void run(ggml_tensor * c, bool a_along_0, bool b_along_0, triangle skips, int ith, int nth) {
    const ggml_tensor * a        = c->src[0];
    const ggml_tensor * b        = c->src[1];
    const int64_t       n        = c->ne[1];
    const int64_t       k        = a->ne[a_along_0 ? 1 : 0];
    const int64_t       n_tiles  = (n + tile_n - 1) / tile_n;
    const int64_t       per_part = (n_tiles + nth - 1) / nth * tile_n;
    const int64_t       n0       = std::min(n, ith * per_part);
    const int64_t       n1       = std::min(n, n0 + per_part);
    for (int64_t batch = 0; batch < c->ne[2] && n0 < n1; batch++) {
        operand left = rows_of(a, batch / (c->ne[2] / a->ne[2]), a_along_0);
        left.encoded = a->type == GGML_TYPE_F32 ? nullptr : a;
        float * out  = (float *) ((char *) c->data + (size_t) batch * c->nb[2]);
        multiply(left, rows_of(b, batch, b_along_0), out, step(c, 1), { c->ne[0], n, k, skips }, n0, n1);
    }
}

static ggml_tensor * custom(ggml_context *   ctx,
                            ggml_tensor *    a,
                            ggml_tensor *    b,
                            int64_t          m,
                            int64_t          n,
                            ggml_custom_op_t op) {
    ggml_tensor * arguments[] = { a, b };
    return ggml_custom_4d(ctx, GGML_TYPE_F32, m, n, b->ne[2], 1, arguments, 2, op, GGML_N_TASKS_MAX, nullptr);
}

// What ggml calls has no room for anything but numbers that are known when it is compiled.
template <bool a_along_0, bool b_along_0, triangle skips>
static void compute(ggml_tensor * c, int ith, int nth, void *) {
    run(c, a_along_0, b_along_0, skips, ith, nth);
}

ggml_tensor * gemm_mul_mat(ggml_context * ctx, ggml_tensor * a, ggml_tensor * b, triangle skips) {
    const ggml_custom_op_t op = skips == triangle::RESULT ? compute<false, false, triangle::RESULT> :
                                skips == triangle::SUM    ? compute<false, false, triangle::SUM> :
                                                            compute<false, false, triangle::NONE>;
    return custom(ctx, a, b, a->ne[1], b->ne[1], op);
}

ggml_tensor * gemm_out_prod(ggml_context * ctx, ggml_tensor * a, ggml_tensor * b, triangle skips) {
    const ggml_custom_op_t op =
        skips == triangle::SUM_AFTER ? compute<true, true, triangle::SUM_AFTER> : compute<true, true, triangle::NONE>;
    return custom(ctx, a, b, a->ne[0], b->ne[0], op);
}

ggml_tensor * gemm_back(ggml_context * ctx, ggml_tensor * w, ggml_tensor * b) {
    return custom(ctx, w, b, w->ne[0], b->ne[1], compute<true, false, triangle::NONE>);
}

#else

// gemm_gains() has said that nobody comes here.

ggml_tensor * gemm_mul_mat(ggml_context * ctx, ggml_tensor * a, ggml_tensor * b, triangle) {
    return ggml_mul_mat(ctx, a, b);
}

ggml_tensor * gemm_out_prod(ggml_context * ctx, ggml_tensor * a, ggml_tensor * b, triangle) {
    return ggml_out_prod(ctx, a, b);
}

ggml_tensor * gemm_back(ggml_context * ctx, ggml_tensor * w, ggml_tensor * b) {
    return ggml_mul_mat(ctx, ggml_cont(ctx, ggml_transpose(ctx, w)), b);
}

#endif
