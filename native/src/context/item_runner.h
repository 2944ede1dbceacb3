#pragma once

#include "batch_item.h"
#include "context.h"
#include "support/failure.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

// How an item ended: with its result or its failure.
struct finished_item {
    uint32_t                           id;
    std::variant<item_result, failure> outcome;
};

// Decodes for any number of items at once: each batch holds tokens of all that have some. Belongs to the thread that
// uses the context, which must outlive it.
class item_runner {
  public:
    explicit item_runner(vlm_context & ctx) : ctx(ctx) {}

    // Puts an item behind those that are active. `id` names it in `run` and `drop`.
    void add(uint32_t id, std::unique_ptr<batch_item> item);

    // Stops an item where it stands; its sequence keeps what was decoded.
    void drop(uint32_t id);

    // Decodes batch after batch for all active items until one or more of them are done, the worker was interrupted, or
    // `yield` was set. Returns those done, in the order they were added.
    std::vector<finished_item> run(const std::atomic<bool> & yield);

  private:
    struct entry {
        uint32_t                    id;
        std::unique_ptr<batch_item> item;
        bool                        started = false;
        std::optional<failure>      error   = std::nullopt;  // set: the item is done as well

        bool done() const { return item->done || error; }
    };

    void run_batch(const std::vector<entry *> & active);
    bool any_done() const;

    vlm_context &      ctx;
    std::vector<entry> entries;
};
