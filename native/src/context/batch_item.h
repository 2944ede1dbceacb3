#pragma once

#include "item_result.h"
#include "token_batch.h"

class vlm_context;

// A request that takes part in a context's batches until it is done. The steps run on the worker's thread; each may
// throw a failure, which ends this item and no other.
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

    // Once, when it is done without a failure: what it holds is moved out.
    virtual item_result take_result() = 0;

    bool done = false;
};
