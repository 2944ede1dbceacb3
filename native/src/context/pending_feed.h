#pragma once

#include "llama.h"
#include "token_batch.h"

class vlm_context;

// Feeds a sequence's pending tokens into batches.
class pending_feed {
  public:
    explicit pending_feed(llama_seq_id id) : id(id) {}

    // The last pending token asks for logits, and then stays out of a batch that cannot give them.
    void fill(vlm_context & ctx, token_batch & batch);

    // After a decode. True if nothing is pending now: the sequence has its logits.
    bool consume(vlm_context & ctx);

    void undo(vlm_context & ctx);

    // Tokens of the sequence that were decoded before the batch filled last.
    size_t n_decoded_before() const { return n_before; }

    // Its rows in that batch follow each other from this one on.
    size_t first_row() const { return i_first; }

  private:
    llama_seq_id id;
    size_t       n_before   = 0;
    size_t       i_first    = 0;
    llama_pos    pos_before = 0;
    int32_t      i_output   = -1;
};
