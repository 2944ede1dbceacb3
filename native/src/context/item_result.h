#pragma once

#include "llama.h"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

// What items end with, in values of their own.

// The attention of one layer from an append's tokens to all tokens of the sequence.
struct layer_attention {
    int64_t            n_head = 0;
    std::vector<float> weights;  // [n_head][n_tokens][n_kv], as LayerAttention in src/runtime/types.ts
};

struct append_result {
    std::vector<float>                 log_probs;  // of the choices
    std::map<int32_t, layer_attention> attention;  // by layer
};

struct score_result {
    std::vector<std::vector<float>> log_probs;  // of each continuation's tokens
};

enum finish_reason { FINISH_STOP, FINISH_END, FINISH_LENGTH };

struct generate_result {
    std::vector<llama_token> tokens;
    std::vector<float>       log_probs;
    std::string              text;
    finish_reason            reason     = FINISH_LENGTH;
    llama_token              stop_token = LLAMA_TOKEN_NULL;  // what ended it, if a token did
    std::string              stop_text;
    float                    stop_log_prob = 0;
};

using item_result = std::variant<append_result, score_result, generate_result>;
