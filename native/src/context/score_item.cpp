#include "score_item.h"

#include "context.h"
#include "support/failure.h"

#include <algorithm>
#include <functional>
#include <numeric>

score_item::score_item(llama_seq_id                          id,
                       std::vector<std::vector<llama_token>> continuations,
                       std::vector<llama_seq_id>             scratch) :
    id(id),
    continuations(std::move(continuations)),
    scratch(std::move(scratch)),
    feed(id),
    order(this->continuations.size()) {
    for (const auto & tokens : this->continuations) {
        result.log_probs.emplace_back(tokens.size());
    }
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [this](size_t a, size_t b) {
        return this->continuations[a] < this->continuations[b] ||
               (this->continuations[a] == this->continuations[b] && a < b);
    });
}

void score_item::start(vlm_context & ctx) {
    ctx.want_logits(id);
    if (ctx.seq(id).logits) {
        score_first_tokens(ctx);
    }
}

void score_item::read_logits(const vlm_context &                            ctx,
                             const float *                                  logits,
                             const std::vector<std::pair<size_t, size_t>> & wanted) {
    const float lse = ctx.normaliser(logits);
    for (const auto & [continuation, position] : wanted) {
        result.log_probs[continuation][position] = logits[continuations[continuation][position]] - lse;
    }
}

void score_item::score_first_tokens(vlm_context & ctx) {
    std::vector<std::pair<size_t, size_t>> wanted;
    for (size_t i = 0; i < continuations.size(); i++) {
        if (!continuations[i].empty()) {
            wanted.emplace_back(i, 0);
        }
    }
    read_logits(ctx, ctx.logits_of(*ctx.seq(id).logits), wanted);
    rooted = true;
    begin_group(ctx);
}

// Puts a continuation's tokens, all but the last, into the group's tree. False if it does not fit: then nothing
// changed.
bool score_item::add_to_group(size_t continuation, size_t n_cells_free) {
    const auto & tokens = continuations[continuation];
    size_t       at     = 0;
    size_t       known  = 0;
    while (known + 1 < tokens.size()) {
        const auto & children = nodes[at].children;
        const auto   child =
            std::find_if(children.begin(), children.end(), [&](size_t i) { return nodes[i].token == tokens[known]; });
        if (child == children.end()) {
            break;
        }
        at = *child;
        known++;
    }
    const size_t n_new        = tokens.size() - std::min(tokens.size(), known + 1);
    const bool   makes_branch = n_new > 0 && (at == 0 || !nodes[at].children.empty());
    if (nodes.size() - 1 + n_new > n_cells_free || n_branches + makes_branch > scratch.size()) {
        return false;
    }
    n_branches += makes_branch;
    size_t path = 0;
    for (size_t i = 0; i + 1 < tokens.size(); i++) {
        const auto & children = nodes[path].children;
        const auto   child =
            std::find_if(children.begin(), children.end(), [&](size_t c) { return nodes[c].token == tokens[i]; });
        if (child == children.end()) {
            nodes.push_back({ tokens[i], i, {}, {}, {} });
            nodes[path].children.push_back(nodes.size() - 1);
            path = nodes.size() - 1;
        } else {
            path = *child;
        }
        nodes[path].wanted.emplace_back(continuation, i + 1);
    }
    return true;
}

void score_item::begin_group(vlm_context & ctx) {
    nodes.assign(1, { LLAMA_TOKEN_NULL, 0, {}, {}, {} });
    to_decode.clear();
    n_branches  = 0;
    n_decoded   = 0;
    n_fed       = 0;
    group_begin = n_grouped;
    while (n_grouped < order.size() && add_to_group(order[n_grouped], ctx.cells().n_free())) {
        n_grouped++;
    }
    if (n_grouped == group_begin && n_grouped < order.size()) {
        ctx.require_cells(id, continuations[order[n_grouped]].size() - 1);
        throw failure(error_code::CONTEXT_FULL,
                      "scoring needs a free sequence; dispose a session, or give the context a greater "
                      "nSeqMax");
    }
    if (nodes.size() == 1) {
        done = true;
        return;
    }

    size_t                            branch = 0;
    // Gives each leaf a sequence, and all of its ancestors with it.
    const std::function<void(size_t)> assign = [&](size_t i) {
        node & n = nodes[i];
        if (n.children.empty()) {
            n.seqs.push_back(scratch[branch++]);
        }
        for (size_t child : n.children) {
            assign(child);
            n.seqs.insert(n.seqs.end(), nodes[child].seqs.begin(), nodes[child].seqs.end());
        }
    };
    assign(0);
    for (size_t i = 1; i < nodes.size(); i++) {
        to_decode.push_back(i);
        nodes[i].cell = ctx.cells().take();
    }
    std::stable_sort(to_decode.begin(), to_decode.end(),
                     [this](size_t a, size_t b) { return nodes[a].depth < nodes[b].depth; });
    for (llama_seq_id seq : nodes[0].seqs) {
        llama_memory_seq_cp(llama_get_memory(ctx.get()), id, seq, -1, -1);
    }
}

void score_item::end_group(vlm_context & ctx) {
    if (nodes.empty()) {
        return;
    }
    for (llama_seq_id seq : nodes[0].seqs) {
        llama_memory_seq_rm(llama_get_memory(ctx.get()), seq, -1, -1);
    }
    for (size_t i : to_decode) {
        ctx.cells().give_back(nodes[i].cell);
    }
    nodes.clear();
    to_decode.clear();
}

void score_item::fill(vlm_context & ctx, token_batch & batch) {
    if (!rooted) {
        feed.fill(ctx, batch);
        return;
    }
    const llama_pos pos = ctx.seq(id).n_pos;
    n_fed               = n_decoded;
    while (n_fed < to_decode.size() && batch.has_room(true)) {
        node & n = nodes[to_decode[n_fed++]];
        n.row    = batch.add(n.token, pos + (llama_pos) n.depth, n.cell, n.seqs.data(), (int32_t) n.seqs.size(), true);
    }
}

void score_item::consume(vlm_context & ctx) {
    if (!rooted) {
        if (feed.consume(ctx)) {
            score_first_tokens(ctx);
        }
        return;
    }
    for (; n_decoded < n_fed; n_decoded++) {
        const node & n = nodes[to_decode[n_decoded]];
        read_logits(ctx, llama_get_logits_ith(ctx.get(), n.row), n.wanted);
    }
    if (n_decoded == to_decode.size()) {
        end_group(ctx);
        begin_group(ctx);
    }
}

void score_item::undo(vlm_context & ctx) {
    if (!rooted) {
        feed.undo(ctx);
        return;
    }
    // Which rows the cache holds is not known: the group starts over.
    end_group(ctx);
    n_grouped = group_begin;
    begin_group(ctx);
}

void score_item::leave(vlm_context & ctx) {
    end_group(ctx);
}
