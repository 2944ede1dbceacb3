#include "loss.h"

#include "context/log_softmax.h"

#include <cmath>

pass_result read_logits(const train_sample & sample, const float * logits, size_t n_vocab) {
    const size_t n_rows = sample.rows.size();
    pass_result  pass   = { std::vector<float>(n_rows), std::vector<uint8_t>(n_rows) };
    for (size_t i = 0; i < n_rows; i++) {
        const float * row    = logits + i * n_vocab;
        const size_t  target = (size_t) sample.targets[i];
        pass.log_probs[i]    = row[target] - log_sum_exp(row, n_vocab);
        pass.hits[i]         = index_of_max(row, n_vocab) == target;
    }
    return pass;
}

void logits_to_gradient(const train_sample & sample, const pass_result & pass, float * logits, size_t n_vocab) {
    for (size_t i = 0; i < sample.rows.size(); i++) {
        float *      row    = logits + i * n_vocab;
        const size_t target = (size_t) sample.targets[i];
        const float  sum    = row[target] - pass.log_probs[i];
        const float  sign   = gradient_scale * sample.signs[i];
        for (size_t token = 0; token < n_vocab; token++) {
            row[token] = sign * std::exp(row[token] - sum);
        }
        row[target] -= sign;
    }
}

double objective_slope(const train_sample & sample, const pass_result & pass, const train_objective & objective) {
    if (objective.beta == 0) {
        return objective.weight;
    }
    double score = 0;
    for (size_t i = 0; i < sample.rows.size(); i++) {
        score += (double) sample.signs[i] * pass.log_probs[i];
    }
    const double margin = objective.beta * (score - objective.reference);
    return objective.weight * objective.beta / (1 + std::exp(margin));
}
