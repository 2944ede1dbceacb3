#pragma once

#include "sample.h"

#include <cstddef>

// Gradients go back through the layers this much larger than they are: matrices of 8 and 16 bits are multiplied with
// numbers of as many, and the smallest of those is 6e-8.
constexpr float gradient_scale = 64.0f;

// What the sample's logits [m][n_vocab] say. A logit that is NaN or infinite gives NaN.
pass_result read_logits(const train_sample & sample, const float * logits, size_t n_vocab);

// The logits become gradient_scale times the gradient of the sum of -sign * log p(target) with respect to them.
void logits_to_gradient(const train_sample & sample, const pass_result & pass, float * logits, size_t n_vocab);

// The derivative of the objective with respect to that sum.
double objective_slope(const train_sample & sample, const pass_result & pass, const train_objective & objective);
