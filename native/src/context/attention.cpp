#include "attention.h"

#include "ggml-backend.h"

#include <cstdlib>
#include <cstring>

static constexpr char   name_prefix[] = "kq_soft_max-";
static constexpr size_t n_prefix      = sizeof(name_prefix) - 1;

void attention_capture::begin_batch(size_t n_tokens) {
    n_batch_tokens = n_tokens;
    captured.clear();
    places.clear();
}

void attention_capture::end_batch(const uint32_t * cells) {
    for (size_t row = 0; row < places.size(); row++) {
        set_place(cells[row], places[row]);
    }
}

void attention_capture::set_place(uint32_t cell, int64_t place) {
    if (cell >= place_of_cell.size()) {
        place_of_cell.resize(cell + 1, unknown_cell);
    }
    place_of_cell[cell] = place;
}

bool attention_capture::on_tensor(ggml_tensor * tensor, bool ask, void * self) {
    auto * capture = static_cast<attention_capture *>(self);
    if (!capture->wants(tensor)) {
        return !ask;
    }
    if (!ask) {
        capture->take(tensor);
    }
    return true;
}

bool attention_capture::wants(const ggml_tensor * tensor) const {
    // The first rows a batch stores are the keys of the first layer; values are stored one element at a time.
    if (tensor->op == GGML_OP_SET_ROWS) {
        return places.empty() && (size_t) ggml_nelements(tensor->src[1]) == n_batch_tokens;
    }
    return !wanted.empty() && std::strncmp(tensor->name, name_prefix, n_prefix) == 0 &&
           wanted.count(std::atoi(tensor->name + n_prefix)) > 0;
}

void attention_capture::take(const ggml_tensor * tensor) {
    if (tensor->op == GGML_OP_SET_ROWS) {
        places.resize(n_batch_tokens);
        ggml_backend_tensor_get(tensor->src[1], places.data(), 0, n_batch_tokens * sizeof(int64_t));
        return;
    }
    block b = { std::atoi(tensor->name + n_prefix), tensor->ne[0], tensor->ne[1], tensor->ne[2], {} };
    b.weights.resize((size_t) ggml_nelements(tensor));
    ggml_backend_tensor_get(tensor, b.weights.data(), 0, b.weights.size() * sizeof(float));
    captured.push_back(std::move(b));
}
