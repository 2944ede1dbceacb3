#include "context.h"
#include "support/failure.h"

#include <algorithm>

// Image tokens of one llama_decode call: M-RoPE needs four positions for each, [4][n_tokens] (mtmd-helper.cpp).
struct image_batch {
    std::vector<llama_pos>      positions;
    std::vector<int32_t>        n_seq_ids;
    std::vector<llama_seq_id *> seq_ids;
    std::vector<int8_t>         outputs;

    image_batch(const image_embedding & image, size_t first, size_t n, llama_pos pos_0, llama_seq_id * seq) :
        positions(4 * n),
        n_seq_ids(n, 1),
        seq_ids(n, seq),
        outputs(n, 0) {
        const mtmd_image_tokens * tokens = mtmd_input_chunk_get_tokens_image(image.chunk.get());
        for (size_t i = 0; i < n; i++) {
            const mtmd_decoder_pos pos = mtmd_image_tokens_get_decoder_pos(tokens, pos_0, first + i);
            positions[i]               = (llama_pos) pos.t;
            positions[i + n]           = (llama_pos) pos.y;
            positions[i + 2 * n]       = (llama_pos) pos.x;
            positions[i + 3 * n]       = (llama_pos) pos.z;
        }
    }
};

void vlm_context::append_image(llama_seq_id id, const image_embedding & image) {
    sequence &   s       = seq(id);
    const size_t n_image = (size_t) image.n_tokens;
    const size_t n_embd  = (size_t) llama_model_n_embd_inp(model->get());
    require_cells(id, n_image);
    flush(id);

    const size_t    n_before   = s.tokens.size();
    const llama_pos pos_before = s.n_pos;
    s.tokens.insert(s.tokens.end(), n_image, LLAMA_TOKEN_NULL);
    for (size_t i = 0; i < n_image; i++) {
        s.cells.push_back(ledger.take());
    }
    s.n_pos += image.n_pos;
    s.logits.reset();
    try {
        for (size_t first = 0; first < n_image; first += ctx_params.n_batch) {
            const size_t      n = std::min<size_t>(ctx_params.n_batch, n_image - first);
            image_batch       rows(image, first, n, pos_before, &id);
            float *           embd   = const_cast<float *>(image.data.data()) + first * n_embd;
            const llama_batch tokens = {
                (int32_t) n,        nullptr, embd, rows.positions.data(), rows.n_seq_ids.data(), rows.seq_ids.data(),
                rows.outputs.data()
            };
            // Counted before it is tried: a decode that fails may leave a part of it.
            s.n_decoded += n;
            const int rc = timed_decode(tokens, false);
            if (rc != 0) {
                throw failure(rc == decode_no_room ? error_code::CONTEXT_FULL : error_code::DECODE,
                              rc == decode_aborted ? "appending an image was interrupted" :
                                                     "llama_decode failed with " + std::to_string(rc) +
                                                         " on an image of " + std::to_string(n_image) + " tokens");
            }
            capture.end_batch(&s.cells[n_before + first]);
        }
        keep_checkpoint(id);
    } catch (...) {
        truncate(id, n_before, pos_before);
        throw;
    }
}
