#pragma once

#include "batch_item.h"

#include <map>

// Appends text to a sequence, and reads the log-probabilities of some next tokens and the attention of some layers.
class append_item : public batch_item {
  public:
    append_item(llama_seq_id                 id,
                std::vector<llama_token>     tokens,
                std::vector<llama_token>     choices,
                const std::vector<int32_t> & layers);

    void        start(vlm_context & ctx) override;
    void        fill(vlm_context & ctx, token_batch & batch) override;
    void        consume(vlm_context & ctx) override;
    void        undo(vlm_context & ctx) override;
    Napi::Value result(Napi::Env env, const vlm_context & ctx) override;

  private:
    struct layer_attention {
        int64_t            n_head = 0;
        std::vector<float> weights;  // [n_head][n_tokens][n_kv], as LayerAttention
                                     // in src/runtime/types.ts
    };

    void read_choices(vlm_context & ctx);
    void read_attention(vlm_context & ctx);

    llama_seq_id                       id;
    std::vector<llama_token>           tokens;
    std::vector<llama_token>           choices;
    std::vector<int32_t>               wanted_layers;
    std::map<int32_t, layer_attention> attention;
    pending_feed                       feed;
    size_t                             n_tokens_before = 0;
    std::vector<float>                 log_probs;
};
