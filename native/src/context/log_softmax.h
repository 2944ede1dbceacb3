#pragma once

#include <cstddef>

// Natural logarithm of sum(exp(x[i])): x[i] minus it is a log-probability. NaN if an x is NaN or +infinity, or if every
// one is -infinity. Within 2e-6 of the exact value for any n.
float log_sum_exp(const float * x, size_t n);

// Index of the greatest, the first of equals. n >= 1.
size_t index_of_max(const float * x, size_t n);
