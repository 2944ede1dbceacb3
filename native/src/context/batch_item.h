#pragma once

#include "context.h"
#include "support/failure.h"

#include <napi.h>

#include <optional>

// A request that takes part in the context's batches until it is done. The four steps run on the worker's thread; each
// may throw a failure, which ends this item and no other.
class batch_item {
  public:
    virtual ~batch_item() = default;

    // Before the first batch. Needs no decode: may set `done`.
    virtual void start(vlm_context & ctx) = 0;

    // Adds rows to the batch, as many as it has room for; none if there is no room now.
    virtual void fill(vlm_context & ctx, token_batch & batch) = 0;

    // The batch was decoded. Called if fill added rows; may set `done`.
    virtual void consume(vlm_context & ctx) = 0;

    // The batch was not decoded: take the rows back.
    virtual void undo(vlm_context & ctx) = 0;

    // Done or dropped: gives back what it holds besides its sequence.
    virtual void leave(vlm_context &) {}

    // On the JS thread, once done without an error.
    virtual Napi::Value result(Napi::Env env, const vlm_context & ctx) = 0;

    bool                   started = false;
    bool                   done    = false;
    std::optional<failure> error;  // set: done as well
};

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
