#pragma once

#include "frozen_weights.h"

#include <memory>
#include <vector>

struct lora_shape {
    int32_t rank;
    float   scale;                  // alpha / rank
    bool    targets[MATRIX_COUNT];  // which matrices have an adapter
};

// One matrix's adapter, y += scale * B (A x), and the gradient of its halves. B is kept transposed: so it goes back through
// mul_mat and its gradient comes out of out_prod as it is.
struct lora_pair {
    ggml_tensor * a       = nullptr;  // [in, rank]
    ggml_tensor * bt      = nullptr;  // [out, rank]
    ggml_tensor * grad_a  = nullptr;
    ggml_tensor * grad_bt = nullptr;
};

// All adapters of a model. Their numbers stand one behind the other: layer by layer, matrix by matrix, a before bt.
class lora_weights {
  public:
    // Without memory; see allocate().
    lora_weights(const decoder_shape & decoder, const lora_shape & shape);

    void allocate(const compute_device & device);

    const lora_shape & shape() const { return sizes; }

    // Null if the matrix has none.
    const lora_pair * at(size_t layer, matrix_id id) const;

    size_t n_parameters() const { return n_values; }

    size_t bytes() const { return 2 * n_values * sizeof(float); }

    std::vector<float> parameters() const { return read(false); }

    std::vector<float> gradients() const { return read(true); }

    void set_parameters(const float * values);
    void clear_gradients();

  private:
    std::vector<float> read(bool gradients) const;

    lora_shape              sizes;
    size_t                  n_values = 0;
    ggml_context_ptr        ctx;
    ggml_backend_buffer_ptr buffer;
    std::vector<lora_pair>  pairs;  // [layer][matrix]
};
