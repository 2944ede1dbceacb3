#include "lora.h"

#include "support/failure.h"

lora_weights::lora_weights(const decoder_shape & decoder, const lora_shape & shape) : sizes(shape) {
    const size_t n_pairs = (size_t) decoder.n_layer * MATRIX_COUNT;
    ctx.reset(ggml_init({ n_pairs * 4 * ggml_tensor_overhead(), nullptr, /*no_alloc*/ true }));
    pairs.resize(n_pairs);
    for (size_t i = 0; i < n_pairs; i++) {
        const auto id = (matrix_id) (i % MATRIX_COUNT);
        if (!sizes.targets[id]) {
            continue;
        }
        const auto [n_in, n_out] = matrix_shape(decoder, id);
        const auto make          = [&](int64_t n) {
            return ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, n, sizes.rank);
        };
        pairs[i] = { make(n_in), make(n_out), make(n_in), make(n_out) };
        n_values += (size_t) (n_in + n_out) * (size_t) sizes.rank;
    }
}

void lora_weights::allocate(const compute_device & device) {
    buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(ctx.get(), device.buffer_type()));
    if (!buffer) {
        throw failure(error_code::MODEL_LOAD, "there is no memory for the adapter");
    }
    ggml_backend_buffer_clear(buffer.get(), 0);
}

const lora_pair * lora_weights::at(size_t layer, matrix_id id) const {
    const lora_pair & pair = pairs[layer * MATRIX_COUNT + id];
    return pair.a ? &pair : nullptr;
}

std::vector<float> lora_weights::read(bool gradients) const {
    std::vector<float> values(n_values);
    size_t             at = 0;
    for (const lora_pair & pair : pairs) {
        if (!pair.a) {
            continue;
        }
        for (const ggml_tensor * tensor : { gradients ? pair.grad_a : pair.a, gradients ? pair.grad_bt : pair.bt }) {
            ggml_backend_tensor_get(tensor, values.data() + at, 0, ggml_nbytes(tensor));
            at += (size_t) ggml_nelements(tensor);
        }
    }
    return values;
}

void lora_weights::set_parameters(const float * values) {
    for (const lora_pair & pair : pairs) {
        if (!pair.a) {
            continue;
        }
        for (ggml_tensor * tensor : { pair.a, pair.bt }) {
            ggml_backend_tensor_set(tensor, values, 0, ggml_nbytes(tensor));
            values += ggml_nelements(tensor);
        }
    }
}

void lora_weights::clear_gradients() {
    for (const lora_pair & pair : pairs) {
        if (pair.a) {
            ggml_backend_tensor_memset(pair.grad_a, 0, 0, ggml_nbytes(pair.grad_a));
            ggml_backend_tensor_memset(pair.grad_bt, 0, 0, ggml_nbytes(pair.grad_bt));
        }
    }
}
