#include "append_item.h"

#include "context.h"
#include "support/failure.h"

#include <algorithm>

append_item::append_item(llama_seq_id                 id,
                         std::vector<llama_token>     tokens,
                         std::vector<llama_token>     choices,
                         const std::vector<int32_t> & layers) :
    id(id),
    tokens(std::move(tokens)),
    choices(std::move(choices)),
    wanted_layers(layers),
    feed(id) {}

void append_item::start(vlm_context & ctx) {
    sequence & s    = ctx.seq(id);
    n_tokens_before = s.tokens.size();
    if (tokens.empty() && choices.empty()) {
        done = true;
        return;
    }
    if (tokens.empty()) {
        ctx.want_logits(id);
    } else {
        ctx.push_tokens(id, tokens);
    }
    if (s.n_pending() == 0) {
        read_choices(ctx);
    }
}

void append_item::fill(vlm_context & ctx, token_batch & batch) {
    ctx.attention().want_layers(wanted_layers);
    feed.fill(ctx, batch);
}

void append_item::consume(vlm_context & ctx) {
    if (!wanted_layers.empty()) {
        read_attention(ctx);
    }
    if (feed.consume(ctx)) {
        read_choices(ctx);
    }
}

void append_item::undo(vlm_context & ctx) {
    feed.undo(ctx);
}

void append_item::read_choices(vlm_context & ctx) {
    done = true;
    if (choices.empty()) {
        return;
    }
    const float * logits = ctx.logits_of(*ctx.seq(id).logits);
    const float   lse    = ctx.normaliser(logits);
    result.log_probs.reserve(choices.size());
    for (llama_token choice : choices) {
        result.log_probs.push_back(logits[choice] - lse);
    }
}

// Of the batch just decoded, this append's rows, without tokens that were pending before it.
void append_item::read_attention(vlm_context & ctx) {
    const sequence & s      = ctx.seq(id);
    const size_t     n_kv   = s.tokens.size();
    const size_t     n_rows = tokens.size();
    const size_t     first  = std::max(feed.n_decoded_before(), n_tokens_before);
    for (const attention_capture::block & block : ctx.attention().blocks()) {
        if (std::find(wanted_layers.begin(), wanted_layers.end(), block.layer) == wanted_layers.end()) {
            continue;
        }
        layer_attention & layer = result.attention[block.layer];
        layer.n_head            = block.n_head;
        layer.weights.resize((size_t) block.n_head * n_rows * n_kv);
        for (size_t token = first; token < s.n_decoded; token++) {
            const size_t row = feed.first_row() + token - feed.n_decoded_before();
            for (size_t key = 0; key <= token; key++) {
                const int64_t place = ctx.attention().place(s.cells[key]);
                if (place == attention_capture::unknown_cell) {
                    throw failure(error_code::USAGE,
                                  "attention is not known for a restored session; append its tokens instead");
                }
                for (size_t head = 0; head < (size_t) block.n_head; head++) {
                    const size_t from = (head * (size_t) block.n_tokens + row) * (size_t) block.n_kv + (size_t) place;
                    const size_t to   = (head * n_rows + token - n_tokens_before) * n_kv + key;
                    layer.weights[to] = block.weights[from];
                }
            }
        }
    }
}
