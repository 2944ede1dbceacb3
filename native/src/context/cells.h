#pragma once

#include <cstdint>
#include <vector>

// Who uses how many cells of the KV cache. Sequences share the cells of a common prefix, and llama.cpp does not tell how
// many are free; ids are ours, not places in the cache.
class cell_ledger {
  public:
    explicit cell_ledger(uint32_t n_cells) : n_cells(n_cells) {}

    uint32_t n_free() const { return n_used < n_cells ? n_cells - n_used : 0; }

    // Ask n_free() first: more than there are can be taken, but not decoded.
    uint32_t take() {
        if (free_ids.empty()) {
            free_ids.push_back((uint32_t) n_users.size());
            n_users.push_back(0);
        }
        const uint32_t id = free_ids.back();
        free_ids.pop_back();
        n_users[id] = 1;
        n_used++;
        return id;
    }

    void share(uint32_t id) { n_users[id]++; }

    // One for what is decoded again: another sequence keeps what lies in a shared one.
    uint32_t own(uint32_t id) {
        if (n_users[id] == 1) {
            return id;
        }
        give_back(id);
        return take();
    }

    void give_back(uint32_t id) {
        if (--n_users[id] == 0) {
            free_ids.push_back(id);
            n_used--;
        }
    }

  private:
    uint32_t              n_cells;
    uint32_t              n_used = 0;
    std::vector<uint32_t> n_users;
    std::vector<uint32_t> free_ids;
};
