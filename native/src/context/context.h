#pragma once

#include "attention.h"
#include "cells.h"
#include "model/model.h"
#include "recurrent.h"
#include "thread_governor.h"
#include "token_batch.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

// Logits of one decode may take this much memory (and as much again on the device), but a row a sequence in any case.
constexpr size_t max_output_bytes = 64u << 20;

// What llama_decode returns beside 0 and errors.
constexpr int decode_no_room = 1;
constexpr int decode_aborted = 2;

struct context_params {
    uint32_t              n_ctx;
    uint32_t              n_seq_max;
    uint32_t              n_batch;
    ggml_type             kv_type;
    llama_flash_attn_type flash_attn;
    int32_t               n_threads;
    bool                  follows_load;  // takes fewer threads while others need the processors
    bool                  capture_attention;
};

struct context_counters {
    uint64_t n_decode_calls       = 0;
    uint64_t n_tokens_decoded     = 0;
    uint64_t n_single_token_steps = 0;
    double   decode_us            = 0;
    double   image_us             = 0;  // of it, images
    double   step_us              = 0;  // of it, single token steps
    double   read_us              = 0;  // reading and choosing from logits, beside it
    int32_t  n_threads            = 0;  // of the next call
};

// The logits after a sequence's last token. They stay in llama.cpp's output buffer until the next decode, and are
// copied out before it only if somebody still holds them.
struct logits_row {
    int32_t            i_batch = -1;  // row of the last decode, or -1: in `copy`
    std::vector<float> copy;
};

// One sequence of the KV cache. Tokens are pending from when they are known until a batch has room for them; what
// generation chose last stays pending, so that it goes into the batch of whatever comes next.
struct sequence {
    std::vector<llama_token>    tokens;         // LLAMA_TOKEN_NULL for an image's
    std::vector<uint32_t>       cells;          // of each token, pending or not
    size_t                      n_decoded = 0;  // the first ones
    llama_pos                   n_pos     = 0;  // M-RoPE position of the next token, after the pending ones
    std::shared_ptr<logits_row> logits;         // null unless known, and while tokens are pending
    state_checkpoints           checkpoints;    // of a recurrent model: behind each image, and where it was restored

    size_t n_pending() const { return tokens.size() - n_decoded; }

    // Position of the first pending token: those are text, one position each.
    llama_pos first_pending_pos() const { return n_pos - (llama_pos) n_pending(); }
};

// A llama_context and its sequences. Not thread-safe: one operation at a time. Only `counters` and `memory` may be read meanwhile.
class vlm_context {
  public:
    // Throws MODEL_LOAD.
    vlm_context(std::shared_ptr<vlm_model> model, const context_params & params, std::atomic<bool> * interrupted);
    ~vlm_context();

    // Forgets the tokens behind the first n_tokens, which take n_pos positions.
    void truncate(llama_seq_id seq, size_t n_tokens, llama_pos n_pos);

    // Makes dst a copy of src; cells are shared.
    void copy(llama_seq_id src, llama_seq_id dst);

    // Decodes what is pending; throws CONTEXT_FULL and DECODE, also if interrupted, and then it is pending still.
    void flush(llama_seq_id seq);

    // Decodes an image's embeddings behind a sequence's last token. On failure the sequence is as before.
    void append_image(llama_seq_id seq, const image_embedding & image);

    // The sequence, its tokens and positions, in a form only the same model with the same KV type takes back.
    std::vector<uint8_t> save(llama_seq_id seq);

    // Replaces the sequence; throws USAGE for data of another model, kind or version, and then changes nothing.
    // `scratch` is an empty sequence, or -1 if none is free.
    void restore(llama_seq_id seq, llama_seq_id scratch, const std::vector<uint8_t> & state);

    // The batch to fill for the next decode: the same one each time, emptied.
    token_batch & empty_batch();

    // Decodes a batch. False if it was interrupted: then the cache holds some of it, for the caller to take back. Throws
    // CONTEXT_FULL and DECODE in the same state.
    bool decode(token_batch & batch);

    // The logits of row i of the batch decoded last, kept for as long as somebody holds them.
    std::shared_ptr<logits_row> keep_logits(int32_t i_batch);
    const float *               logits_of(const logits_row & row) const;

    // Log-sum-exp of a row; throws DECODE if the logits are not numbers.
    float normaliser(const float * logits) const;

    // Makes the last token pending again if the logits after it are not known. Throws USAGE if that is no text token.
    void want_logits(llama_seq_id seq);

    // Puts text behind a sequence, to be decoded. Throws CONTEXT_FULL, and then changes nothing.
    void push_tokens(llama_seq_id seq, const std::vector<llama_token> & tokens);

    // Throws CONTEXT_FULL unless n more tokens fit.
    void require_cells(llama_seq_id seq, size_t n) const;

    // Removes decoded tokens from the cache, down to n_decoded, of which the first lies at position pos; of a recurrent
    // model also some before them. They stay in `tokens`: they are pending again.
    void undecode(llama_seq_id seq, size_t n_decoded, llama_pos pos);

    sequence & seq(llama_seq_id id) { return sequences[(size_t) id]; }

    bool is_interrupted() const { return *interrupted; }

    vlm_model & get_model() { return *model; }

    llama_context * get() const { return ctx.get(); }

    cell_ledger & cells() { return ledger; }

    const context_params & params() const { return ctx_params; }

    attention_capture & attention() { return capture; }

    void                       count_reading(int64_t us);
    context_counters           counters() const;
    std::vector<device_memory> memory() const;

  private:
    struct context_deleter {
        void operator()(llama_context * ctx) const { llama_free(ctx); }
    };

    void keep_checkpoint(llama_seq_id seq);
    void set_threads(int32_t n);
    void attach_threads(int32_t n);
    void detach_threads();
    int  timed_decode(const llama_batch & batch, bool single_step);

    std::shared_ptr<vlm_model>                      model;
    context_params                                  ctx_params;
    std::atomic<bool> *                             interrupted;
    attention_capture                               capture;
    bool                                            recurrent;
    std::unique_ptr<llama_context, context_deleter> ctx;
    ggml_threadpool *                               threads = nullptr;
    thread_governor                                 governor;
    cell_ledger                                     ledger;
    std::vector<sequence>                           sequences;
    token_batch                                     batch;
    std::vector<std::weak_ptr<logits_row>>          rows_in_output;
    mutable std::mutex                              shared_mutex;  // of what other threads may read
    context_counters                                n;
    std::vector<device_memory>                      memory_by_device;
    bool                                            memory_is_final = false;
};
