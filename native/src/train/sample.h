#pragma once

#include <cstdint>
#include <vector>

// One sequence to learn from: text tokens and rows of images, in order, and which of its positions are scored. A preference
// pair is one sequence too: what both have in common, the chosen answer, the rejected one, told apart by `branches`.
struct train_sample {
    std::vector<int32_t> tokens;      // [n]; -1 where a row of an image stands
    std::vector<float>   image_rows;  // [rows of images][n_embd], in order
    std::vector<int32_t> positions;   // [3][n]: M-RoPE's time, height, width
    std::vector<int32_t> branches;    // [n]: 0 is seen by all that follow, another number only by its own
    std::vector<int32_t> rows;        // [m]: positions whose next token is scored
    std::vector<int32_t> targets;     // [m]: that token
    std::vector<float>   signs;       // [m]: 1 where it is to become likelier, -1 where less likely
};

// What is made small. Without a beta the sum of -sign * log p(target), times weight; with it DPO's
// weight * -log sigmoid(beta * (sum of sign * log p(target) - reference)).
struct train_objective {
    double weight;
    double beta;       // 0: none
    double reference;  // sum of sign * log p(target) of the reference model
};

struct pass_result {
    std::vector<float>   log_probs;  // [m], natural
    std::vector<uint8_t> hits;       // [m]: whether the target was the likeliest token
};
