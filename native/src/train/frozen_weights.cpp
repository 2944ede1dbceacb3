#include "frozen_weights.h"

#include "support/failure.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

const char * matrix_name(matrix_id id) {
    static const char * const names[MATRIX_COUNT] = { "attn_q",   "attn_k", "attn_v",  "attn_output",
                                                      "ffn_gate", "ffn_up", "ffn_down" };
    return names[id];
}

std::array<int64_t, 2> matrix_shape(const decoder_shape & shape, matrix_id id) {
    switch (id) {
        case MATRIX_K:
        case MATRIX_V:
            return { shape.n_embd, shape.n_embd_kv() };
        case MATRIX_GATE:
        case MATRIX_UP:
            return { shape.n_embd, shape.n_ff };
        case MATRIX_DOWN:
            return { shape.n_ff, shape.n_embd };
        default:
            return { shape.n_embd, shape.n_embd };
    }
}

// Float types stay what they are, so that gradients through them are those of the file's numbers. Of quantised ones there
// is no exact transpose: their blocks lie along the rows.
static ggml_type transposed_type(const ggml_tensor * weight) {
    if (!ggml_is_quantized(weight->type)) {
        return weight->type;
    }
    return weight->ne[1] % ggml_blck_size(GGML_TYPE_Q8_0) == 0 ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
}

static ggml_context_ptr make_context(size_t n_tensors) {
    return ggml_context_ptr(ggml_init({ n_tensors * ggml_tensor_overhead(), nullptr, /*no_alloc*/ true }));
}

frozen_weights::frozen_weights(const std::string & path, bool with_transposes) :
    path(path),
    with_transposes(with_transposes) {
    ggml_context * tensors = nullptr;
    file.reset(gguf_init_from_file(path.c_str(), { /*no_alloc*/ true, &tensors }));
    base_ctx.reset(tensors);
    if (!file) {
        throw failure(error_code::MODEL_LOAD, "cannot read the model " + path);
    }
    sizes          = read_shape(file.get(), path);
    transposed_ctx = make_context((size_t) sizes.n_layer * MATRIX_COUNT + 1);
    token_embd     = find("token_embd.weight", true);
    output_norm    = find("output_norm.weight", true);
    output.weight  = find("output.weight", false);
    if (!output.weight) {
        output.weight = token_embd;
    }
    output.bias = find("output.bias", false);
    plan_transpose(output);
    for (int64_t i = 0; i < sizes.n_layer; i++) {
        const std::string prefix = "blk." + std::to_string(i) + ".";
        frozen_layer      layer;
        layer.attn_norm = find(prefix + "attn_norm.weight", true);
        layer.ffn_norm  = find(prefix + "ffn_norm.weight", true);
        for (int id = 0; id < MATRIX_COUNT; id++) {
            layer.matrices[id] = find_matrix(prefix + matrix_name((matrix_id) id));
        }
        layers.push_back(layer);
    }
    require_shapes();
}

ggml_tensor * frozen_weights::find(const std::string & name, bool required) {
    ggml_tensor * tensor = ggml_get_tensor(base_ctx.get(), name.c_str());
    if (!tensor && required) {
        throw failure(error_code::MODEL_UNSUPPORTED, path + " has no tensor " + name);
    }
    return tensor;
}

frozen_matrix frozen_weights::find_matrix(const std::string & name) {
    frozen_matrix matrix;
    matrix.weight = find(name + ".weight", true);
    matrix.bias   = find(name + ".bias", false);
    plan_transpose(matrix);
    return matrix;
}

void frozen_weights::plan_transpose(frozen_matrix & matrix) {
    if (with_transposes) {
        matrix.transposed = ggml_new_tensor_2d(transposed_ctx.get(), transposed_type(matrix.weight),
                                               matrix.weight->ne[1], matrix.weight->ne[0]);
    }
}

void frozen_weights::require_shapes() const {
    const auto require = [&](bool holds, const std::string & what) {
        if (!holds) {
            throw failure(error_code::MODEL_UNSUPPORTED, path + ": " + what);
        }
    };
    require(sizes.n_head > 0 && sizes.n_head_kv > 0 && sizes.n_embd % sizes.n_head == 0 &&
                sizes.n_head % sizes.n_head_kv == 0,
            "its heads do not divide its width");
    for (const frozen_layer & layer : layers) {
        require(layer.attn_norm->type == GGML_TYPE_F32 && layer.ffn_norm->type == GGML_TYPE_F32, "a norm is not F32");
        for (int id = 0; id < MATRIX_COUNT; id++) {
            const frozen_matrix & matrix = layer.matrices[id];
            const auto            ne     = matrix_shape(sizes, (matrix_id) id);
            require(matrix.weight->ne[0] == ne[0] && matrix.weight->ne[1] == ne[1],
                    std::string(matrix.weight->name) + " has other sides than the metadata says");
            require(!matrix.bias || matrix.bias->type == GGML_TYPE_F32,
                    std::string(matrix.weight->name) + " has a bias that is not F32");
        }
    }
}

static void read_tensors(const std::string &                path,
                         const gguf_context *               file,
                         ggml_context *                     ctx,
                         std::atomic<bool> *                interrupted,
                         const std::function<void(float)> & on_progress) {
    std::ifstream     input(std::filesystem::u8path(path), std::ios::binary);
    std::vector<char> bytes;
    const int64_t     n_tensors = gguf_get_n_tensors(file);
    for (int64_t i = 0; i < n_tensors; i++) {
        ggml_tensor * tensor = ggml_get_tensor(ctx, gguf_get_tensor_name(file, i));
        bytes.resize(ggml_nbytes(tensor));
        input.seekg((std::streamoff) (gguf_get_data_offset(file) + gguf_get_tensor_offset(file, i)));
        if (!input.read(bytes.data(), (std::streamsize) bytes.size())) {
            throw failure(error_code::MODEL_LOAD, path + " ends before its tensor " + tensor->name);
        }
        ggml_backend_tensor_set(tensor, bytes.data(), 0, bytes.size());
        on_progress((float) (i + 1) / (float) n_tensors);
        if (*interrupted) {
            throw failure(error_code::DECODE, "loading was interrupted");
        }
    }
}

static ggml_backend_buffer_ptr allocate(ggml_context * ctx, const compute_device & device) {
    ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx, device.buffer_type()));
    if (!buffer) {
        throw failure(error_code::MODEL_LOAD, "there is no memory for the model's weights");
    }
    ggml_backend_buffer_set_usage(buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    return buffer;
}

void frozen_weights::load(const compute_device &             device,
                          std::atomic<bool> *                interrupted,
                          const std::function<void(float)> & on_progress) {
    base_buffer = allocate(base_ctx.get(), device);
    read_tensors(path, file.get(), base_ctx.get(), interrupted,
                 [&](float done) { on_progress(with_transposes ? done / 2 : done); });
    if (!with_transposes) {
        on_progress(1);
        return;
    }
    transposed_buffer = allocate(transposed_ctx.get(), device);
    for (size_t i = 0; i < layers.size(); i++) {
        for (const frozen_matrix & matrix : layers[i].matrices) {
            transpose(matrix);
        }
        on_progress(0.5f + 0.5f * (float) (i + 1) / (float) layers.size());
        if (*interrupted) {
            throw failure(error_code::DECODE, "loading was interrupted");
        }
    }
    transpose(output);
}

// `rows` x `columns` floats to `columns` x `rows`, in squares that fit the cache.
static void transpose_floats(const float * from, float * to, int64_t rows, int64_t columns) {
    constexpr int64_t side = 32;
    for (int64_t row = 0; row < rows; row += side) {
        for (int64_t column = 0; column < columns; column += side) {
            for (int64_t i = row; i < std::min(rows, row + side); i++) {
                for (int64_t j = column; j < std::min(columns, column + side); j++) {
                    to[j * rows + i] = from[i * columns + j];
                }
            }
        }
    }
}

static std::vector<float> to_floats(const ggml_tensor * tensor) {
    std::vector<float> values((size_t) ggml_nelements(tensor));
    if (tensor->type == GGML_TYPE_F32) {
        ggml_backend_tensor_get(tensor, values.data(), 0, ggml_nbytes(tensor));
        return values;
    }
    std::vector<char> bytes(ggml_nbytes(tensor));
    ggml_backend_tensor_get(tensor, bytes.data(), 0, bytes.size());
    ggml_get_type_traits(tensor->type)->to_float(bytes.data(), values.data(), (int64_t) values.size());
    return values;
}

void frozen_weights::transpose(const frozen_matrix & matrix) const {
    const int64_t            n_in   = matrix.weight->ne[0];
    const int64_t            n_out  = matrix.weight->ne[1];
    const std::vector<float> values = to_floats(matrix.weight);
    std::vector<float>       turned(values.size());
    transpose_floats(values.data(), turned.data(), n_out, n_in);
    if (matrix.transposed->type == GGML_TYPE_F32) {
        ggml_backend_tensor_set(matrix.transposed, turned.data(), 0, ggml_nbytes(matrix.transposed));
        return;
    }
    std::vector<char> bytes(ggml_nbytes(matrix.transposed));
    ggml_quantize_chunk(matrix.transposed->type, turned.data(), bytes.data(), 0, n_in, n_out, nullptr);
    ggml_backend_tensor_set(matrix.transposed, bytes.data(), 0, bytes.size());
}

static size_t tensor_bytes(ggml_context * ctx) {
    size_t bytes = 0;
    for (ggml_tensor * tensor = ggml_get_first_tensor(ctx); tensor; tensor = ggml_get_next_tensor(ctx, tensor)) {
        bytes += ggml_nbytes(tensor);
    }
    return bytes;
}

size_t frozen_weights::base_bytes() const {
    return tensor_bytes(base_ctx.get());
}

size_t frozen_weights::transposed_bytes() const {
    return tensor_bytes(transposed_ctx.get());
}

void frozen_weights::embed(const int32_t * tokens, size_t n, float * rows) const {
    const size_t      n_embd    = (size_t) sizes.n_embd;
    const size_t      row_bytes = ggml_row_size(token_embd->type, sizes.n_embd);
    std::vector<char> bytes(row_bytes);
    for (size_t i = 0; i < n; i++) {
        float * row = rows + i * n_embd;
        if (token_embd->type == GGML_TYPE_F32) {
            ggml_backend_tensor_get(token_embd, row, (size_t) tokens[i] * row_bytes, row_bytes);
            continue;
        }
        ggml_backend_tensor_get(token_embd, bytes.data(), (size_t) tokens[i] * row_bytes, row_bytes);
        ggml_get_type_traits(token_embd->type)->to_float(bytes.data(), row, (int64_t) n_embd);
    }
}
