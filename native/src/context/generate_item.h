#pragma once

#include "batch_item.h"
#include "grammar.h"
#include "pending_feed.h"

#include <functional>
#include <random>

struct generate_params {
    bool                     has_grammar;
    std::string              grammar;
    size_t                   n_tokens_max;
    float                    temperature;  // 0: greedy
    uint32_t                 seed;
    std::vector<std::string> stop_texts;
};

// Lets the model go on. What it chose last stays pending in the sequence, for whoever decodes next.
class generate_item : public batch_item {
  public:
    using token_listener = std::function<void(llama_token token, const std::string & text, float log_prob)>;

    // The listener is called on the worker's thread; it may be empty.
    generate_item(llama_seq_id id, generate_params params, token_listener listener);

    void start(vlm_context & ctx) override;
    void fill(vlm_context & ctx, token_batch & batch) override;
    void consume(vlm_context & ctx) override;
    void undo(vlm_context & ctx) override;

    item_result take_result() override { return std::move(result); }

  private:
    // Chooses the next token from the sequence's logits.
    void        step(vlm_context & ctx);
    llama_token choose(vlm_context & ctx, const float * logits);
    void        finish(finish_reason reason);

    llama_seq_id             id;
    generate_params          params;
    token_listener           listener;
    pending_feed             feed;
    std::unique_ptr<grammar> rules;
    std::mt19937_64          random;
    generate_result          result;
};
