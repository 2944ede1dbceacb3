#pragma once

#include "llama.h"

#include <cstdint>
#include <memory>
#include <vector>

// A recurrent model keeps, beside its KV cache, one running state of a sequence, in which what was read last cannot be
// taken back. To take it back all the same, its state is kept behind every image, and the text since then is decoded again.
struct state_checkpoint {
    size_t               n_tokens;
    llama_pos            n_pos;
    std::vector<uint8_t> state;  // llama.cpp's, without the KV cache
};

// Of one sequence and those forked from it, which share them. In order of their places.
using state_checkpoints = std::vector<std::shared_ptr<const state_checkpoint>>;

bool is_recurrent(const llama_model * model);

std::shared_ptr<const state_checkpoint> keep_state(llama_context * ctx,
                                                   llama_seq_id    seq,
                                                   size_t          n_tokens,
                                                   llama_pos       n_pos);

// Takes back what lies at `pos` and behind it, n_tokens into the sequence, and more where it has to: says how many tokens
// are still decoded. What is to be decoded again is text, which takes one position a token.
size_t take_back(llama_context *           ctx,
                 llama_seq_id              seq,
                 size_t                    n_tokens,
                 llama_pos                 pos,
                 const state_checkpoints & checkpoints);
