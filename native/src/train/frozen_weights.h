#pragma once

#include "decoder_shape.h"
#include "device.h"

#include <functional>
#include <string>
#include <vector>

// The matrices of a layer that may be given an adapter, in the order of its parameters.
enum matrix_id { MATRIX_Q, MATRIX_K, MATRIX_V, MATRIX_O, MATRIX_GATE, MATRIX_UP, MATRIX_DOWN, MATRIX_COUNT };

// Their names within a layer, e.g. "attn_q".
const char * matrix_name(matrix_id id);

// [in, out] of a matrix.
std::array<int64_t, 2> matrix_shape(const decoder_shape & shape, matrix_id id);

// A matrix of the base model with what goes back through it.
struct frozen_matrix {
    ggml_tensor * weight     = nullptr;  // [in, out], as in the file
    ggml_tensor * transposed = nullptr;  // [out, in], or null where the way back reads the weight itself
    ggml_tensor * bias       = nullptr;  // [out] in F32, or null
};

struct frozen_layer {
    ggml_tensor * attn_norm;  // [n_embd]
    ggml_tensor * ffn_norm;   // [n_embd]
    frozen_matrix matrices[MATRIX_COUNT];
};

// The base model. Nothing of it changes.
class frozen_weights {
  public:
    // Tensors without memory, for plans. Throws MODEL_LOAD, MODEL_UNSUPPORTED.
    frozen_weights(const std::string & path, bool with_transposes);

    // Reads the file and makes the transposed matrices. `on_progress` gets 0..1; a set `interrupted` ends it with DECODE.
    void load(const compute_device &             device,
              std::atomic<bool> *                interrupted,
              const std::function<void(float)> & on_progress);

    const decoder_shape & shape() const { return sizes; }

    const frozen_layer & layer(size_t i) const { return layers[i]; }

    ggml_tensor * token_embd  = nullptr;  // [n_embd, n_vocab]
    ggml_tensor * output_norm = nullptr;  // [n_embd]
    frozen_matrix output;                 // [n_embd, n_vocab]

    size_t base_bytes() const;
    size_t transposed_bytes() const;

    // Rows of the token embedding as floats, one a token: [n][n_embd].
    void embed(const int32_t * tokens, size_t n, float * rows) const;

  private:
    ggml_tensor * find(const std::string & name, bool required);
    frozen_matrix find_matrix(const std::string & name);
    void          plan_transpose(frozen_matrix & matrix);
    void          require_shapes() const;
    void          transpose(const frozen_matrix & matrix) const;

    std::string               path;
    bool                      with_transposes;
    decoder_shape             sizes;
    gguf_context_ptr          file;
    ggml_context_ptr          base_ctx;
    ggml_context_ptr          transposed_ctx;
    ggml_backend_buffer_ptr   base_buffer;
    ggml_backend_buffer_ptr   transposed_buffer;
    std::vector<frozen_layer> layers;
};
