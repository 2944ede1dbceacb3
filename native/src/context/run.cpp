#include "batch_item.h"

#include <algorithm>

void pending_feed::fill(vlm_context & ctx, token_batch & batch) {
    sequence & s  = ctx.seq(id);
    n_before      = s.n_decoded;
    pos_before    = s.first_pending_pos();
    i_first       = batch.size();
    i_output      = -1;
    llama_pos pos = pos_before;
    while (s.n_pending() > 0) {
        const bool last = s.n_pending() == 1;
        if (!batch.has_room(last)) {
            break;
        }
        const int32_t row = batch.add(s.tokens[s.n_decoded], pos++, s.cells[s.n_decoded], &id, 1, last);
        s.n_decoded++;
        if (last) {
            i_output = row;
        }
    }
}

bool pending_feed::consume(vlm_context & ctx) {
    if (i_output < 0) {
        return false;
    }
    ctx.seq(id).logits = ctx.keep_logits(i_output);
    return true;
}

void pending_feed::undo(vlm_context & ctx) {
    ctx.undecode(id, n_before, pos_before);
}

void vlm_context::flush(llama_seq_id id) {
    pending_feed feed(id);
    while (seq(id).n_pending() > 0) {
        batch.clear();
        feed.fill(*this, batch);
        try {
            if (!decode(batch)) {
                throw failure("DECODE", "decoding was interrupted");
            }
        } catch (const failure &) {
            feed.undo(*this);
            throw;
        }
        feed.consume(*this);
    }
}

void vlm_context::add_item(uint32_t id, std::unique_ptr<batch_item> item) {
    items.emplace_back(id, std::move(item));
}

void vlm_context::drop_item(uint32_t id) {
    const auto found = std::find_if(items.begin(), items.end(), [id](const auto & entry) { return entry.first == id; });
    if (found != items.end()) {
        found->second->leave(*this);
        items.erase(found);
    }
}

template <typename step> static void guarded(batch_item & item, const step & do_step) {
    try {
        do_step();
    } catch (const failure & e) {
        item.error = e;
        item.done  = true;
    }
}

void vlm_context::run_batch(const std::vector<batch_item *> & active) {
    batch.clear();
    capture.want_no_layers();
    std::vector<batch_item *> taking_part;
    for (batch_item * item : active) {
        const uint32_t n_before = batch.size();
        guarded(*item, [&] { item->fill(*this, batch); });
        if (batch.size() > n_before) {
            taking_part.push_back(item);
        }
    }
    if (taking_part.empty()) {
        const bool any_done =
            std::any_of(active.begin(), active.end(), [](const batch_item * item) { return item->done; });
        if (!any_done) {
            throw failure("INTERNAL", "no request could put a token into an empty batch");
        }
        return;
    }
    std::optional<failure> error;
    bool                   decoded = false;
    try {
        decoded = decode(batch);
    } catch (const failure & e) {
        error = e;
    }
    for (batch_item * item : taking_part) {
        if (!decoded) {
            guarded(*item, [&] { item->undo(*this); });
        } else if (!item->done) {
            guarded(*item, [&] { item->consume(*this); });
        }
    }
    if (!error) {
        return;
    }
    if (taking_part.size() == 1) {
        taking_part[0]->error = error;
        taking_part[0]->done  = true;
        return;
    }
    // One request must not fail for another's sake: find out whose fault it is.
    for (batch_item * item : taking_part) {
        if (!item->done && !*interrupted) {
            run_batch({ item });
        }
    }
}

std::vector<std::pair<uint32_t, std::unique_ptr<batch_item>>> vlm_context::run(const std::atomic<bool> & yield) {
    const auto any_done = [this] {
        return std::any_of(items.begin(), items.end(), [](const auto & entry) { return entry.second->done; });
    };
    for (auto & [id, item] : items) {
        if (!item->started) {
            item->started = true;
            guarded(*item, [&, it = item.get()] { it->start(*this); });
        }
    }
    while (!items.empty() && !any_done() && !*interrupted) {
        std::vector<batch_item *> active;
        for (auto & [id, item] : items) {
            active.push_back(item.get());
        }
        run_batch(active);
        if (yield) {
            break;
        }
    }
    std::vector<std::pair<uint32_t, std::unique_ptr<batch_item>>> finished;
    for (auto & entry : items) {
        if (entry.second->done) {
            entry.second->leave(*this);
            finished.push_back(std::move(entry));
        }
    }
    items.erase(std::remove_if(items.begin(), items.end(), [](const auto & entry) { return !entry.second; }),
                items.end());
    return finished;
}
