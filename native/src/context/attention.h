#pragma once

#include "ggml.h"

#include <cstdint>
#include <set>
#include <vector>

// The attention of some layers, read through llama.cpp's evaluation callback while a batch is decoded. It also learns
// in which cell of the cache each token of a batch is stored, which llama.cpp tells in no other way.
class attention_capture {
  public:
    // One layer's softmax(K·Q) in one batch.
    struct block {
        int32_t            layer;
        int64_t            n_kv;  // cells, padded by llama.cpp
        int64_t            n_tokens;
        int64_t            n_head;
        std::vector<float> weights;  // [n_head][n_tokens][n_kv]
    };

    static constexpr int64_t unknown_cell = -1;

    // Which layers to read of the next batch. None costs next to nothing.
    void want_no_layers() { wanted.clear(); }

    void want_layers(const std::vector<int32_t> & layers) { wanted.insert(layers.begin(), layers.end()); }

    void begin_batch(size_t n_tokens);

    // After a batch was decoded; `cells` of its tokens, in order.
    void end_batch(const uint32_t * cells);

    const std::vector<block> & blocks() const { return captured; }

    // Where a cell of the ledger lies in the cache; unknown_cell if it was not written while this watched.
    int64_t place(uint32_t cell) const { return cell < place_of_cell.size() ? place_of_cell[cell] : unknown_cell; }

    void forget(uint32_t cell) { set_place(cell, unknown_cell); }

    // ggml_backend_sched_eval_callback
    static bool on_tensor(ggml_tensor * tensor, bool ask, void * self);

  private:
    bool wants(const ggml_tensor * tensor) const;
    void take(const ggml_tensor * tensor);
    void set_place(uint32_t cell, int64_t place);

    std::vector<int64_t> place_of_cell;
    std::set<int32_t>    wanted;
    std::vector<block>   captured;
    std::vector<int64_t> places;  // of the batch's tokens, empty until seen
    size_t               n_batch_tokens = 0;
};
