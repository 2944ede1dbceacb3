#if defined(__GNUC__) && !defined(__clang__)
// Lets gcc turn the clamp in fast_exp into a vector select: nobody here catches floating-point traps.
#    pragma GCC optimize("no-trapping-math")
#endif

#include "log_softmax.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>

// Loops over this many independent lanes become vector instructions without
// -ffast-math.
static constexpr size_t n_lanes = 16;
// Float partial sums stay exact enough over a block this long; blocks are added up in double.
static constexpr size_t block   = 2048;

// exp(x) for x <= 0, relative error below 2e-7: Cephes' expf, with 2^n made from exponent bits.
static inline float fast_exp(float x) {
    x                 = x < -87.0f ? -87.0f : x;
    const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole
                                      // number in the low bits
    const float t     = x * 1.44269504088896341f + magic;
    const float n     = t - magic;
    const float r     = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float       p     = 1.9875691500e-4f;
    p                 = p * r + 1.3981999507e-3f;
    p                 = p * r + 8.3334519073e-3f;
    p                 = p * r + 4.1665795894e-2f;
    p                 = p * r + 1.6666665459e-1f;
    p                 = p * r + 5.0000001201e-1f;
    const float y     = p * r * r + r + 1.0f;
    int32_t     y_bits;
    int32_t     t_bits;
    std::memcpy(&y_bits, &y, sizeof(y));
    std::memcpy(&t_bits, &t, sizeof(t));
    y_bits += (int32_t) ((uint32_t) t_bits << 23);
    float result;
    std::memcpy(&result, &y_bits, sizeof(result));
    return result;
}

// [exp(x[i] - max)] for one block; a loop without a sum becomes vector instructions.
static void exp_block(const float * x, size_t n, float max, float * out) {
    for (size_t i = 0; i < n; i++) {
        out[i] = fast_exp(x[i] - max);
    }
}

static float sum_block(const float * x, size_t n) {
    float sum[n_lanes] = {};
    for (size_t i = 0; i + n_lanes <= n; i += n_lanes) {
        for (size_t lane = 0; lane < n_lanes; lane++) {
            sum[lane] += x[i + lane];
        }
    }
    for (size_t i = n - n % n_lanes; i < n; i++) {
        sum[0] += x[i];
    }
    return std::accumulate(sum, sum + n_lanes, 0.0f);
}

static float max_of(const float * x, size_t n) {
    float max[n_lanes];
    std::fill(max, max + n_lanes, -std::numeric_limits<float>::infinity());
    for (size_t i = 0; i + n_lanes <= n; i += n_lanes) {
        for (size_t lane = 0; lane < n_lanes; lane++) {
            max[lane] = x[i + lane] > max[lane] ? x[i + lane] : max[lane];
        }
    }
    for (size_t i = n - n % n_lanes; i < n; i++) {
        max[0] = x[i] > max[0] ? x[i] : max[0];
    }
    return *std::max_element(max, max + n_lanes);
}

float log_sum_exp(const float * x, size_t n) {
    const float max   = max_of(x, n);
    int32_t     n_nan = 0;
    for (size_t i = 0; i < n; i++) {
        n_nan += x[i] != x[i];
    }
    if (n_nan > 0 || !std::isfinite(max)) {
        return std::numeric_limits<float>::quiet_NaN();
    }
    double total = 0;
    float  exps[block];
    for (size_t start = 0; start < n; start += block) {
        const size_t n_block = std::min(block, n - start);
        exp_block(x + start, n_block, max, exps);
        total += sum_block(exps, n_block);
    }
    return max + (float) std::log(total);
}

size_t index_of_max(const float * x, size_t n) {
    const float * found = std::find(x, x + n, max_of(x, n));
    return found == x + n ? 0 : (size_t) (found - x);
}
