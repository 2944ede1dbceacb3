#include "quantize.h"

#include "llama.h"
#include "support/failure.h"
#include "support/log_sink.h"

#include <cstdio>

// Rows of one tensor kept in memory at once, as floats and quantised; llama.cpp's own default is 8 GiB.
static constexpr size_t max_rows_bytes = 256u << 20;

void quantize_model(const quantize_params &            params,
                    const std::atomic<bool> &          interrupted,
                    const std::function<void(float)> & on_progress) {
    llama_model_quantize_params p = llama_model_quantize_default_params();
    p.nthread                     = params.n_threads;
    p.ftype                       = (llama_ftype) params.file_type;
    p.allow_requantize            = params.allow_requantize;
    p.pure                        = params.pure;
    p.max_buf_size                = max_rows_bytes;

    log_scope scope;
    // llama_model_quantize has no way to be stopped. It does log every tensor, on this thread and between the tensors'
    // threads, and takes an exception for a failure.
    scope.on_text = [&](const char * text) {
        if (interrupted) {
            throw failure("INTERNAL", "quantising was interrupted");
        }
        int i = 0;
        int n = 0;
        if (std::sscanf(text, "[%d/%d]", &i, &n) == 2 && n > 0) {
            on_progress((float) i / (float) n);
        }
    };
    const uint32_t rc = llama_model_quantize(params.input.c_str(), params.output.c_str(), &p);
    scope.on_text     = nullptr;
    if (interrupted) {
        throw failure("INTERNAL", "quantising was interrupted");
    }
    if (rc != 0) {
        throw failure("MODEL_UNSUPPORTED",
                      "cannot quantise " + params.input + ": " + scope.reason("llama.cpp refused it"));
    }
}
