#include "adamw.h"

#include <cmath>

static double length_of(const std::vector<float> & values) {
    double sum = 0;
    for (const float value : values) {
        sum += (double) value * value;
    }
    return std::sqrt(sum);
}

double adamw::step(std::vector<float> & parameters, const std::vector<float> & gradients, const adamw_params & params) {
    const double length = length_of(gradients);
    if (!std::isfinite(length)) {
        return length;
    }
    n_steps++;
    // torch.nn.utils.clip_grad_norm_
    const float shrink =
        params.clip_norm > 0 && length > params.clip_norm ? (float) (params.clip_norm / (length + 1e-6)) : 1.0f;
    const float beta1      = (float) params.beta1;
    const float beta2      = (float) params.beta2;
    const float keep       = (float) (1 - params.learning_rate * params.weight_decay);
    const float step_size  = (float) (params.learning_rate / (1 - std::pow(params.beta1, (double) n_steps)));
    const float correction = (float) std::sqrt(1 - std::pow(params.beta2, (double) n_steps));
    const float epsilon    = (float) params.epsilon;
    for (size_t i = 0; i < parameters.size(); i++) {
        const float grad = shrink * gradients[i];
        first[i]         = beta1 * first[i] + (1 - beta1) * grad;
        second[i]        = beta2 * second[i] + (1 - beta2) * grad * grad;
        parameters[i]    = keep * parameters[i] - step_size * first[i] / (std::sqrt(second[i]) / correction + epsilon);
    }
    return length;
}
