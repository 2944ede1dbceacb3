#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

struct quantize_params {
    std::string input;
    std::string output;
    int32_t     file_type;  // llama_ftype
    int32_t     n_threads;
    bool        allow_requantize;
    bool        pure;
};

// Writes `output`, whole or in part: the caller renames or removes it. Throws MODEL_UNSUPPORTED with llama.cpp's reason,
// and a failure soon after `interrupted` is set. `on_progress` gets 0..1 over the tensors.
void quantize_model(const quantize_params &            params,
                    const std::atomic<bool> &          interrupted,
                    const std::function<void(float)> & on_progress);
