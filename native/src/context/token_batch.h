#pragma once

#include "llama.h"

#include <cstdint>
#include <vector>

// The tokens of one llama_decode call, of any number of sequences.
class token_batch {
  public:
    token_batch(uint32_t n_tokens_max, uint32_t n_outputs_max, uint32_t n_seq_max) :
        n_tokens_max(n_tokens_max),
        n_outputs_max(n_outputs_max),
        tokens(n_tokens_max),
        positions(n_tokens_max),
        n_seq_ids(n_tokens_max),
        seq_ids(n_tokens_max),
        outputs(n_tokens_max),
        cells(n_tokens_max),
        n_tokens_of(n_seq_max) {}

    void clear() {
        n_tokens       = 0;
        n_outputs      = 0;
        one_token_each = true;
        std::fill(n_tokens_of.begin(), n_tokens_of.end(), 0);
    }

    bool has_room(bool output) const { return n_tokens < n_tokens_max && (!output || n_outputs < n_outputs_max); }

    // Index of the row, for its logits. `seqs` must stay where it is until the batch was decoded.
    int32_t add(llama_token          token,
                llama_pos            pos,
                uint32_t             cell,
                const llama_seq_id * seqs,
                int32_t              n_seqs,
                bool                 output) {
        tokens[n_tokens]    = token;
        positions[n_tokens] = pos;
        n_seq_ids[n_tokens] = n_seqs;
        seq_ids[n_tokens]   = const_cast<llama_seq_id *>(seqs);
        outputs[n_tokens]   = output;
        cells[n_tokens]     = cell;
        n_outputs += output;
        for (int32_t i = 0; i < n_seqs; i++) {
            one_token_each = one_token_each && n_tokens_of[(size_t) seqs[i]]++ == 0;
        }
        return (int32_t) n_tokens++;
    }

    uint32_t size() const { return n_tokens; }

    const uint32_t * cell_ids() const { return cells.data(); }

    // No sequence got more than one token: the step of classic sampling.
    bool is_single_step() const { return one_token_each; }

    llama_batch get() {
        return { (int32_t) n_tokens, tokens.data(),  nullptr,       positions.data(),
                 n_seq_ids.data(),   seq_ids.data(), outputs.data() };
    }

  private:
    uint32_t                    n_tokens_max;
    uint32_t                    n_outputs_max;
    uint32_t                    n_tokens       = 0;
    uint32_t                    n_outputs      = 0;
    bool                        one_token_each = true;
    std::vector<llama_token>    tokens;
    std::vector<llama_pos>      positions;
    std::vector<int32_t>        n_seq_ids;
    std::vector<llama_seq_id *> seq_ids;
    std::vector<int8_t>         outputs;
    std::vector<uint32_t>       cells;
    std::vector<uint32_t>       n_tokens_of;
};
