#include "device.h"

#include "gemm.h"
#include "support/backends.h"
#include "support/failure.h"

compute_device::compute_device(const std::string & name, int32_t n_threads, std::atomic<bool> * interrupted) :
    interrupted(interrupted) {
    const ggml_backend_dev_t device = devices_by_name({ name }).at(0);
    backend.reset(ggml_backend_dev_init(device, nullptr));
    gains = gemm_gains(device);
    if (!backend) {
        throw failure(error_code::MODEL_LOAD, "the device " + name + " cannot be used");
    }
    // Only the CPU's backend has these two; it is loaded at run time, so they are asked for by name.
    const ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(device);
    const auto               set_threads =
        (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
    if (set_threads) {
        set_threads(backend.get(), n_threads);
    }
    const auto set_abort =
        (ggml_backend_set_abort_callback_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_abort_callback");
    if (set_abort) {
        set_abort(
            backend.get(), [](void * flag) { return static_cast<std::atomic<bool> *>(flag)->load(); }, interrupted);
    }
}

void compute_device::compute(ggml_cgraph * graph) {
    const ggml_status status = ggml_backend_graph_compute(backend.get(), graph);
    if (*interrupted) {
        throw failure(error_code::DECODE, "training was interrupted");
    }
    if (status != GGML_STATUS_SUCCESS) {
        throw failure(error_code::DECODE, std::string("a training step failed: ") + ggml_status_to_string(status));
    }
}

void compute_device::require_ops(ggml_cgraph * graph) const {
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        const ggml_tensor * node = ggml_graph_node(graph, i);
        if (!ggml_backend_supports_op(backend.get(), node)) {
            throw failure(error_code::MODEL_UNSUPPORTED, std::string("the backend ") +
                                                             ggml_backend_name(backend.get()) + " cannot compute " +
                                                             ggml_op_desc(node) + ", which training needs");
        }
    }
}
