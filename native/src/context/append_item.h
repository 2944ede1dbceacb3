#pragma once

#include "batch_item.h"
#include "pending_feed.h"

// Appends text to a sequence, and reads the log-probabilities of some next tokens and the attention of some layers.
class append_item : public batch_item {
  public:
    append_item(llama_seq_id                 id,
                std::vector<llama_token>     tokens,
                std::vector<llama_token>     choices,
                const std::vector<int32_t> & layers);

    void start(vlm_context & ctx) override;
    void fill(vlm_context & ctx, token_batch & batch) override;
    void consume(vlm_context & ctx) override;
    void undo(vlm_context & ctx) override;

    item_result take_result() override { return std::move(result); }

  private:
    void read_choices(vlm_context & ctx);
    void read_attention(vlm_context & ctx);

    llama_seq_id             id;
    std::vector<llama_token> tokens;
    std::vector<llama_token> choices;
    std::vector<int32_t>     wanted_layers;
    pending_feed             feed;
    size_t                   n_tokens_before = 0;
    append_result            result;
};
