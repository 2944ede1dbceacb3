#pragma once

#include <cstdint>
#include <vector>

// Who uses how many cells of the KV cache. Sequences share the cells of a common prefix, and llama.cpp does not tell
// how many are free; ids are ours, not places in the cache.
class cell_ledger {
  public:
    explicit cell_ledger(uint32_t n_cells) : n_users(n_cells, 0) {
        for (uint32_t i = n_cells; i > 0; i--) {
            free_ids.push_back(i - 1);
        }
    }

    uint32_t n_free() const { return (uint32_t) free_ids.size(); }

    // n_free() must not be 0.
    uint32_t take() {
        const uint32_t id = free_ids.back();
        free_ids.pop_back();
        n_users[id] = 1;
        return id;
    }

    void share(uint32_t id) { n_users[id]++; }

    void give_back(uint32_t id) {
        if (--n_users[id] == 0) {
            free_ids.push_back(id);
        }
    }

  private:
    std::vector<uint32_t> n_users;
    std::vector<uint32_t> free_ids;
};
