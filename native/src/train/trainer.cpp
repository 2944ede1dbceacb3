#include "trainer.h"

#include "gemm.h"
#include "loss.h"
#include "support/backends.h"
#include "support/failure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

trainer::trainer(const trainer_params &             params,
                 std::atomic<bool> *                interrupted,
                 const std::function<void(float)> & on_progress) :
    params(params),
    interrupted(interrupted),
    device(params.device, params.n_threads, interrupted),
    base(params.path, !device.own_products()),
    lora(base.shape(), params.lora),
    moments(lora.n_parameters()),
    allocator(ggml_gallocr_new(device.buffer_type())) {
    base.load(device, interrupted, on_progress);
    lora.allocate(device);
}

void trainer::set_parameters(const std::vector<float> & values) {
    if (values.size() != lora.n_parameters()) {
        throw failure(error_code::USAGE, "an adapter of " + std::to_string(values.size()) + " numbers for one of " +
                                             std::to_string(lora.n_parameters()));
    }
    lora.set_parameters(values.data());
}

void trainer::require_sample(const train_sample & sample) const {
    const decoder_shape & shape    = base.shape();
    const size_t          n        = sample.tokens.size();
    const size_t          m        = sample.rows.size();
    size_t                n_images = 0;
    bool                  valid = n > 0 && m > 0 && sample.positions.size() == 3 * n && sample.branches.size() == n &&
                                  sample.targets.size() == m && sample.signs.size() == m;
    for (size_t i = 0; valid && i < n; i++) {
        valid = sample.tokens[i] >= -1 && sample.tokens[i] < shape.n_vocab;
        n_images += sample.tokens[i] < 0;
    }
    for (size_t i = 0; valid && i < m; i++) {
        valid = sample.rows[i] >= 0 && (size_t) sample.rows[i] < n && sample.targets[i] >= 0 &&
                sample.targets[i] < shape.n_vocab;
    }
    if (!valid || sample.image_rows.size() != n_images * (size_t) shape.n_embd) {
        throw failure(error_code::USAGE, "a sequence to train on does not fit the model");
    }
}

static ggml_tensor * set(ggml_tensor * tensor, const void * data) {
    ggml_backend_tensor_set(tensor, data, 0, ggml_nbytes(tensor));
    return tensor;
}

// Tokens that fill up see only themselves, and nobody sees them.
static std::vector<float> mask_of(const train_sample & sample, int64_t n_tokens) {
    const size_t       n = (size_t) n_tokens;
    std::vector<float> mask(n * n, -std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < n; i++) {
        mask[i * n + i] = 0;
        for (size_t j = 0; i < sample.branches.size() && j < i; j++) {
            if (sample.branches[j] == 0 || sample.branches[j] == sample.branches[i]) {
                mask[i * n + j] = 0;
            }
        }
    }
    return mask;
}

void trainer::set_inputs(const train_graph & graph, const train_sample & sample, int64_t n_tokens) {
    const size_t       n_embd = (size_t) base.shape().n_embd;
    const size_t       n      = sample.tokens.size();
    std::vector<float> x(n_embd * (size_t) n_tokens);
    const float *      image = sample.image_rows.data();
    for (size_t i = 0; i < (size_t) n_tokens; i++) {
        if (i < n && sample.tokens[i] < 0) {
            std::copy(image, image + n_embd, &x[i * n_embd]);
            image += n_embd;
            continue;
        }
        // Any row that is not zero, whose norm would not be finite, fills up.
        const int32_t token = i < n ? sample.tokens[i] : sample.targets[0];
        base.embed(&token, 1, &x[i * n_embd]);
    }
    std::vector<int32_t> positions(4 * (size_t) n_tokens);
    for (size_t axis = 0; axis < 3; axis++) {
        std::copy_n(&sample.positions[axis * n], n, &positions[axis * (size_t) n_tokens]);
    }
    set(graph.x, x.data());
    set(graph.positions, positions.data());
    set(graph.mask, mask_of(sample, n_tokens).data());
    set(graph.rows, sample.rows.data());
}

pass_result trainer::run(const train_sample & sample, const train_objective * objective) {
    require_sample(sample);
    const int64_t    n_tokens = padded_tokens((int64_t) sample.tokens.size());
    const graph_kind kind     = !objective       ? graph_kind::FORWARD :
                                params.recompute ? graph_kind::RECOMPUTE :
                                                   graph_kind::KEEP;
    train_graph      graph(base, lora, n_tokens, (int64_t) sample.rows.size(), kind, device.own_products());
    if (!ops_checked) {
        device.require_ops(graph.whole);
        ops_checked = objective != nullptr;
    }
    if (!ggml_gallocr_alloc_graph(allocator.get(), graph.whole)) {
        throw failure(error_code::MODEL_LOAD,
                      "there is no memory for a sequence of " + std::to_string(sample.tokens.size()) + " tokens");
    }
    set_inputs(graph, sample, n_tokens);
    device.compute(graph.forward);

    const size_t       n_vocab = (size_t) base.shape().n_vocab;
    std::vector<float> logits(n_vocab * sample.rows.size());
    ggml_backend_tensor_get(graph.logits, logits.data(), 0, ggml_nbytes(graph.logits));
    pass_result pass = read_logits(sample, logits.data(), n_vocab);
    if (!objective) {
        return pass;
    }
    const float weight = (float) (objective_slope(sample, pass, *objective) / gradient_scale);
    logits_to_gradient(sample, pass, logits.data(), n_vocab);
    set(graph.d_logits, logits.data());
    set(graph.weight, &weight);
    device.compute(graph.backward);
    return pass;
}

pass_result trainer::evaluate(const train_sample & sample) {
    return run(sample, nullptr);
}

pass_result trainer::accumulate(const train_sample & sample, const train_objective & objective) {
    return run(sample, &objective);
}

double trainer::step(const adamw_params & optimizer_params) {
    std::vector<float> values = lora.parameters();
    const double       length = moments.step(values, lora.gradients(), optimizer_params);
    if (std::isfinite(length)) {
        lora.set_parameters(values.data());
    }
    lora.clear_gradients();
    return length;
}

size_t trainer::compute_bytes() const {
    return ggml_gallocr_get_buffer_size(allocator.get(), 0);
}

// The allocator takes tensors that have data already for somebody else's.
static void pretend_allocated(ggml_tensor * tensor) {
    if (tensor) {
        tensor->data = (void *) (uintptr_t) 64;
    }
}

static void pretend_allocated(const frozen_weights & base, const lora_weights & lora) {
    pretend_allocated(base.token_embd);
    pretend_allocated(base.output_norm);
    const auto pretend_matrix = [](const frozen_matrix & matrix) {
        pretend_allocated(matrix.weight);
        pretend_allocated(matrix.transposed);
        pretend_allocated(matrix.bias);
    };
    pretend_matrix(base.output);
    for (size_t i = 0; i < (size_t) base.shape().n_layer; i++) {
        const frozen_layer & layer = base.layer(i);
        pretend_allocated(layer.attn_norm);
        pretend_allocated(layer.ffn_norm);
        for (int id = 0; id < MATRIX_COUNT; id++) {
            pretend_matrix(layer.matrices[id]);
            if (const lora_pair * pair = lora.at(i, (matrix_id) id)) {
                for (ggml_tensor * tensor : { pair->a, pair->bt, pair->grad_a, pair->grad_bt }) {
                    pretend_allocated(tensor);
                }
            }
        }
    }
}

// Multiplications and additions of matrix products; everything else is small beside them.
static double graph_flops(ggml_cgraph * graph) {
    double flops = 0;
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        const ggml_tensor * node = ggml_graph_node(graph, i);
        if (node->op == GGML_OP_MUL_MAT) {
            flops += 2.0 * (double) node->src[0]->ne[0] * (double) ggml_nelements(node);
        }
        if (node->op == GGML_OP_CUSTOM) {
            // A product of gemm.h, whose first matrix has a side in common with the result.
            const double k = (double) ggml_nelements(node->src[0]) / (double) (node->ne[0] * node->src[0]->ne[2]);
            flops += 2.0 * k * (double) ggml_nelements(node);
        }
        if (node->op == GGML_OP_OUT_PROD) {
            flops += 2.0 * (double) node->src[0]->ne[1] * (double) ggml_nelements(node);
        }
    }
    return flops;
}

training_cost plan_training(const trainer_params & params, int64_t n_tokens, int64_t n_rows) {
    const ggml_backend_dev_t device = devices_by_name({ params.device }).at(0);
    const bool               own    = gemm_gains(device);
    const frozen_weights     base(params.path, !own);
    const lora_weights       lora(base.shape(), params.lora);
    pretend_allocated(base, lora);
    const int64_t padded = padded_tokens(n_tokens);
    train_graph   graph(base, lora, padded, n_rows, params.recompute ? graph_kind::RECOMPUTE : graph_kind::KEEP, own);

    ggml_gallocr_ptr allocator(ggml_gallocr_new(ggml_backend_dev_buffer_type(device)));
    training_cost    cost = {};
    ggml_gallocr_reserve_n_size(allocator.get(), graph.whole, nullptr, nullptr, &cost.compute_bytes);
    cost.base_bytes       = base.base_bytes();
    cost.transposed_bytes = base.transposed_bytes();
    cost.n_parameters     = lora.n_parameters();
    cost.adapter_bytes    = lora.bytes();
    cost.optimizer_bytes  = 4 * lora.n_parameters() * sizeof(float);
    cost.host_bytes =
        (size_t) (base.shape().n_vocab * n_rows + padded * (padded + base.shape().n_embd)) * sizeof(float);
    cost.flops = graph_flops(graph.whole);
    return cost;
}

double measure_speed(const trainer_params & params) {
    using clock                = std::chrono::steady_clock;
    constexpr int64_t n_tokens = 128;

    const frozen_weights base(params.path, false);
    const ggml_tensor *  widest = base.layer(0).matrices[MATRIX_UP].weight;
    std::atomic<bool>    never{ false };
    compute_device       device(params.device, params.n_threads, &never);
    ggml_context_ptr     ctx(ggml_init({ 8 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true }));
    ggml_tensor *        weight = ggml_new_tensor_2d(ctx.get(), widest->type, widest->ne[0], widest->ne[1]);
    ggml_tensor *        x      = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, widest->ne[0], n_tokens);
    ggml_tensor *        y      = ggml_mul_mat(ctx.get(), weight, x);
    ggml_cgraph *        graph  = ggml_new_graph(ctx.get());
    ggml_build_forward_expand(graph, y);
    const ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx.get(), device.buffer_type()));
    if (!buffer) {
        throw failure(error_code::MODEL_LOAD, "there is no memory to measure the device's speed with");
    }
    ggml_backend_buffer_clear(buffer.get(), 0);
    device.compute(graph);

    // The fastest run: others may have the processor now and then.
    const auto start = clock::now();
    double     best  = std::numeric_limits<double>::infinity();
    double     total = 0;
    while (total < 0.2) {
        const auto run_start = clock::now();
        device.compute(graph);
        const auto end = clock::now();
        best           = std::min(best, std::chrono::duration<double>(end - run_start).count());
        total          = std::chrono::duration<double>(end - start).count();
    }
    return 2.0 * (double) widest->ne[0] * (double) widest->ne[1] * (double) n_tokens / best;
}
