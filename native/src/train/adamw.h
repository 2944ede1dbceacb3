#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

struct adamw_params {
    double learning_rate;
    double beta1;
    double beta2;
    double epsilon;
    double weight_decay;
    double clip_norm;  // gradients longer than this are made as long; 0: none
};

// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with the arithmetic of torch.optim.AdamW.
class adamw {
  public:
    explicit adamw(size_t n_parameters) : first(n_parameters), second(n_parameters) {}

    // One step in place. Returns the gradient's length before it was clipped; where that is not finite nothing changes.
    double step(std::vector<float> & parameters, const std::vector<float> & gradients, const adamw_params & params);

    std::vector<float> first;   // moving mean of the gradients
    std::vector<float> second;  // of their squares
    int64_t            n_steps = 0;
};
