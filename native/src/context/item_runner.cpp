#include "item_runner.h"

#include "ggml.h"

#include <algorithm>

void item_runner::add(uint32_t id, std::unique_ptr<batch_item> item) {
    entries.push_back({ id, std::move(item) });
}

void item_runner::drop(uint32_t id) {
    const auto found = std::find_if(entries.begin(), entries.end(), [id](const entry & e) { return e.id == id; });
    if (found != entries.end()) {
        found->item->leave(ctx);
        entries.erase(found);
    }
}

bool item_runner::any_done() const {
    return std::any_of(entries.begin(), entries.end(), [](const entry & e) { return e.done(); });
}

template <typename step> static void guarded(std::optional<failure> & error, const step & do_step) {
    try {
        do_step();
    } catch (const failure & e) {
        error = e;
    }
}

void item_runner::run_batch(const std::vector<entry *> & active) {
    token_batch & batch = ctx.empty_batch();
    ctx.attention().want_no_layers();
    std::vector<entry *> taking_part;
    for (entry * e : active) {
        const uint32_t n_before = batch.size();
        guarded(e->error, [&] { e->item->fill(ctx, batch); });
        if (batch.size() > n_before) {
            taking_part.push_back(e);
        }
    }
    if (taking_part.empty()) {
        if (std::none_of(active.begin(), active.end(), [](const entry * e) { return e->done(); })) {
            throw failure(error_code::INTERNAL, "no request could put a token into an empty batch");
        }
        return;
    }
    std::optional<failure> error;
    bool                   decoded = false;
    try {
        decoded = ctx.decode(batch);
    } catch (const failure & e) {
        error = e;
    }
    const int64_t start_us = ggml_time_us();
    for (entry * e : taking_part) {
        if (!decoded) {
            guarded(e->error, [&] { e->item->undo(ctx); });
        } else if (!e->done()) {
            guarded(e->error, [&] { e->item->consume(ctx); });
        }
    }
    ctx.count_reading(ggml_time_us() - start_us);
    if (!error) {
        return;
    }
    if (taking_part.size() == 1) {
        taking_part[0]->error = error;
        return;
    }
    // One request must not fail for another's sake: find out whose fault it is.
    for (entry * e : taking_part) {
        if (!e->done() && !ctx.is_interrupted()) {
            run_batch({ e });
        }
    }
}

std::vector<finished_item> item_runner::run(const std::atomic<bool> & yield) {
    for (entry & e : entries) {
        if (!e.started) {
            e.started = true;
            guarded(e.error, [&] { e.item->start(ctx); });
        }
    }
    while (!entries.empty() && !any_done() && !ctx.is_interrupted()) {
        std::vector<entry *> active;
        for (entry & e : entries) {
            active.push_back(&e);
        }
        run_batch(active);
        if (yield) {
            break;
        }
    }
    std::vector<finished_item> finished;
    for (entry & e : entries) {
        if (!e.done()) {
            continue;
        }
        e.item->leave(ctx);
        if (e.error) {
            finished.push_back({ e.id, std::move(*e.error) });
        } else {
            finished.push_back({ e.id, e.item->take_result() });
        }
    }
    entries.erase(std::remove_if(entries.begin(), entries.end(), [](const entry & e) { return e.done(); }),
                  entries.end());
    return finished;
}
