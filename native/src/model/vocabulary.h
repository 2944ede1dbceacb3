#pragma once

#include "llama.h"

#include <array>
#include <vector>

// A vocabulary sorted for grammars: which tokens can follow depends first of all on their first byte.
struct vocabulary_index {
    static constexpr llama_token none = LLAMA_TOKEN_NULL;

    std::vector<llama_token>                  end_tokens;     // end of generation
    std::array<std::vector<llama_token>, 256> by_first_byte;  // text only: no control, unused or end tokens
    std::array<llama_token, 256>              byte_tokens;    // that is just this byte; none if there is none

    explicit vocabulary_index(const llama_vocab * vocab);
};
