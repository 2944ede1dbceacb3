#pragma once

#include "batch_item.h"
#include "pending_feed.h"

// Log-probabilities of continuations behind a sequence, which stays as it is. They are decoded as parallel sequences,
// what they begin with in common once; as many at a time as there are scratch sequences and free cells.
class score_item : public batch_item {
  public:
    // `scratch`: empty sequences, this item's until it is gone. Needed unless all continuations are single tokens.
    score_item(llama_seq_id id, std::vector<std::vector<llama_token>> continuations, std::vector<llama_seq_id> scratch);

    void start(vlm_context & ctx) override;
    void fill(vlm_context & ctx, token_batch & batch) override;
    void consume(vlm_context & ctx) override;
    void undo(vlm_context & ctx) override;
    void leave(vlm_context & ctx) override;

    item_result take_result() override { return std::move(result); }

  private:
    // A token to decode, and who waits for the logits behind it.
    struct node {
        llama_token                            token;
        size_t                                 depth;
        std::vector<size_t>                    children;
        std::vector<std::pair<size_t, size_t>> wanted;  // continuation, index of its token after this node
        std::vector<llama_seq_id>              seqs;    // branches through this node
        uint32_t                               cell = 0;
        int32_t                                row  = -1;
    };

    void score_first_tokens(vlm_context & ctx);
    void begin_group(vlm_context & ctx);
    void end_group(vlm_context & ctx);
    bool add_to_group(size_t continuation, size_t n_cells_free);
    void read_logits(const vlm_context &                            ctx,
                     const float *                                  logits,
                     const std::vector<std::pair<size_t, size_t>> & wanted);

    llama_seq_id                          id;
    std::vector<std::vector<llama_token>> continuations;
    std::vector<llama_seq_id>             scratch;
    pending_feed                          feed;
    score_result                          result;
    std::vector<size_t>                   order;            // of continuations: what begins alike stands together
    size_t                                n_grouped   = 0;  // of `order`, in this group or an earlier one
    size_t                                group_begin = 0;
    std::vector<node>                     nodes;            // of the group; [0] is the sequence's end, never decoded
    std::vector<size_t>                   to_decode;        // nodes by depth
    size_t                                n_decoded  = 0;
    size_t                                n_fed      = 0;
    size_t                                n_branches = 0;
    bool                                  rooted     = false;  // the first tokens are scored
};
