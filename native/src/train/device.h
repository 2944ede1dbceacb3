#pragma once

#include "ggml-cpp.h"

#include <atomic>
#include <string>

// Where a trainer computes: one of ggml's backends. Used by one thread at a time.
class compute_device {
  public:
    // `name` as ggml has it, e.g. CPU or CUDA0. A set `interrupted` ends what is computed. Throws MODEL_LOAD.
    compute_device(const std::string & name, int32_t n_threads, std::atomic<bool> * interrupted);

    ggml_backend_buffer_type_t buffer_type() const { return ggml_backend_get_default_buffer_type(backend.get()); }

    // Whether the products of gemm.h are to be used.
    bool own_products() const { return gains; }

    // Throws DECODE if it fails, or was interrupted.
    void compute(ggml_cgraph * graph);

    // Throws MODEL_UNSUPPORTED with the name of the first operation the backend has not.
    void require_ops(ggml_cgraph * graph) const;

  private:
    ggml_backend_ptr    backend;
    bool                gains;
    std::atomic<bool> * interrupted;
};
