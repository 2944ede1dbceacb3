#include "generate_item.h"

#include "context.h"
#include "log_softmax.h"

#include <algorithm>
#include <cmath>

generate_item::generate_item(llama_seq_id id, generate_params params, token_listener listener) :
    id(id),
    params(std::move(params)),
    listener(std::move(listener)),
    feed(id),
    random(this->params.seed) {}

void generate_item::start(vlm_context & ctx) {
    if (params.has_grammar) {
        rules = std::make_unique<grammar>(ctx.get_model(), params.grammar);
    }
    ctx.want_logits(id);
    if (ctx.seq(id).logits) {
        step(ctx);
    }
}

void generate_item::fill(vlm_context & ctx, token_batch & batch) {
    feed.fill(ctx, batch);
}

void generate_item::consume(vlm_context & ctx) {
    if (feed.consume(ctx)) {
        step(ctx);
    }
}

void generate_item::undo(vlm_context & ctx) {
    feed.undo(ctx);
}

void generate_item::finish(finish_reason why) {
    result.reason = why;
    done          = true;
}

void generate_item::step(vlm_context & ctx) {
    const float *     logits   = ctx.logits_of(*ctx.seq(id).logits);
    const float       lse      = ctx.normaliser(logits);
    const llama_token token    = choose(ctx, logits);
    const float       log_prob = logits[token] - lse;
    const std::string piece    = ctx.get_model().token_text(token);

    const bool ends  = llama_vocab_is_eog(ctx.get_model().vocab(), token);
    const bool stops = std::any_of(params.stop_texts.begin(), params.stop_texts.end(),
                                   [&](const std::string & stop) { return piece.find(stop) != std::string::npos; });
    if (ends || stops) {
        result.stop_token    = token;
        result.stop_text     = piece;
        result.stop_log_prob = log_prob;
        finish(ends ? FINISH_END : FINISH_STOP);
        return;
    }

    ctx.push_tokens(id, { token });
    result.tokens.push_back(token);
    result.log_probs.push_back(log_prob);
    result.text += piece;
    if (listener) {
        listener(token, piece, log_prob);
    }
    if (rules) {
        rules->accept(token);
        if (rules->is_complete()) {
            finish(FINISH_END);
            return;
        }
    }
    if (result.tokens.size() >= params.n_tokens_max) {
        finish(FINISH_LENGTH);
    }
}

// Index into [0, n) with probability proportional to exp((logit(i) - max) / temperature).
template <typename logit_fn>
static size_t draw(std::mt19937_64 & random, float temperature, size_t n, float max, const logit_fn & logit) {
    std::vector<double> weights(n);
    double              total = 0;
    for (size_t i = 0; i < n; i++) {
        weights[i] = std::exp((double) (logit(i) - max) / temperature);
        total += weights[i];
    }
    // 53 random bits: the same on every platform, which std::uniform_real_distribution does not promise.
    double left = (double) (random() >> 11) * 0x1p-53 * total;
    for (size_t i = 0; i < n; i++) {
        left -= weights[i];
        if (left < 0) {
            return i;
        }
    }
    return (size_t) (std::max_element(weights.begin(), weights.end()) - weights.begin());
}

llama_token generate_item::choose(vlm_context & ctx, const float * logits) {
    const size_t      n     = (size_t) ctx.get_model().n_vocab();
    const size_t      best  = index_of_max(logits, n);
    const llama_token token = params.temperature == 0 ? (llama_token) best :
                                                        (llama_token) draw(random, params.temperature, n, logits[best],
                                                                           [logits](size_t i) { return logits[i]; });
    // Asking the grammar about one token is cheap, about all is not. Drawing again among those allowed if the first
    // does not fit gives each the same probability as drawing among them at once.
    if (!rules || rules->allows(token)) {
        return token;
    }
    const auto allowed = rules->allowed(logits);
    const auto max     = std::max_element(allowed.begin(), allowed.end(), [](const auto & a, const auto & b) {
        return a.logit < b.logit || (a.logit == b.logit && a.id > b.id);
    });
    if (params.temperature == 0) {
        return max->id;
    }
    const size_t i = draw(random, params.temperature, allowed.size(), max->logit,
                          [&allowed](size_t candidate) { return allowed[candidate].logit; });
    return allowed[i].id;
}
