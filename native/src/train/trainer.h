#pragma once

#include "adamw.h"
#include "lora.h"
#include "sample.h"
#include "train_graph.h"

#include <functional>

struct trainer_params {
    std::string path;    // the base model's text file
    std::string device;  // as ggml names it
    int32_t     n_threads;
    lora_shape  lora;
    bool        recompute;  // each layer on the way back, instead of keeping what it computed
};

// Bytes a trainer takes, and what one sequence costs it.
struct training_cost {
    size_t      base_bytes;
    size_t      transposed_bytes;
    size_t      adapter_bytes;    // with gradients
    size_t      optimizer_bytes;  // moments and a copy of parameters and gradients, in the process's own memory
    size_t      compute_bytes;
    size_t      host_bytes;       // logits and the inputs of one sequence
    size_t      n_parameters;     // that are trained
    std::string unsupported;      // the first operation that the device has not; empty: it has all
    double      flops;            // of one sequence forward and back
};

// Learns LoRA adapters of a frozen text model. Used by one thread at a time.
class trainer {
  public:
    // Throws MODEL_LOAD, MODEL_UNSUPPORTED; DECODE if interrupted.
    trainer(const trainer_params &             params,
            std::atomic<bool> *                interrupted,
            const std::function<void(float)> & on_progress);

    // Throws DECODE if interrupted; nothing has changed then.
    pass_result evaluate(const train_sample & sample);

    // Adds the objective's gradient to what the next step uses. Interrupted midway (DECODE), the gradients are unusable
    // until clear_gradients().
    pass_result accumulate(const train_sample & sample, const train_objective & objective);

    // Takes a step along the gradients and clears them. Returns their length; where it is not finite nothing changes.
    double step(const adamw_params & params);

    void clear_gradients() { lora.clear_gradients(); }

    // As lora_weights orders them.
    std::vector<float> parameters() const { return lora.parameters(); }

    std::vector<float> gradients() const { return lora.gradients(); }

    void set_parameters(const std::vector<float> & values);

    size_t n_parameters() const { return lora.n_parameters(); }

    const decoder_shape & decoder() const { return base.shape(); }

    adamw & optimizer() { return moments; }

    // Of the sequences seen so far.
    size_t compute_bytes() const;

  private:
    pass_result run(const train_sample & sample, const train_objective * objective);
    void        set_inputs(const train_graph & graph, const train_sample & sample, int64_t n_tokens);
    void        require_sample(const train_sample & sample) const;

    trainer_params      params;
    std::atomic<bool> * interrupted;
    compute_device      device;
    frozen_weights      base;
    lora_weights        lora;
    adamw               moments;
    ggml_gallocr_ptr    allocator;
    bool                ops_checked = false;
};

// What training takes, without loading anything but the file's header. `n_tokens` and `n_rows` are the longest sequence's.
// Throws MODEL_LOAD, MODEL_UNSUPPORTED.
training_cost plan_training(const trainer_params & params, int64_t n_tokens, int64_t n_rows);

// Floating-point operations a second of a matrix product as large as the model's largest, measured for a fifth of a second.
// Throws MODEL_LOAD, MODEL_UNSUPPORTED.
double measure_speed(const trainer_params & params);
