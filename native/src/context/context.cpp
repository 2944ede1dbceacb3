#include "context.h"

#include "llama-ext.h"
#include "log_softmax.h"
#include "pending_feed.h"
#include "support/failure.h"
#include "support/log_sink.h"

#include <cmath>

static uint32_t max_outputs(const vlm_model & model, const context_params & params) {
    const size_t row_bytes = (size_t) model.n_vocab() * sizeof(float);
    const size_t n         = std::max<size_t>(max_output_bytes / row_bytes, params.n_seq_max);
    return (uint32_t) std::min<size_t>(n, std::max(params.n_batch, params.n_seq_max));
}

vlm_context::vlm_context(std::shared_ptr<vlm_model> model_in,
                         const context_params &     params,
                         std::atomic<bool> *        interrupted) :
    model(std::move(model_in)),
    ctx_params(params),
    interrupted(interrupted),
    recurrent(is_recurrent(model->get())),
    governor(params.n_threads, params.follows_load),
    ledger(params.n_ctx),
    sequences(params.n_seq_max),
    batch(params.n_batch, max_outputs(*model, params), params.n_seq_max) {
    llama_context_params p = llama_context_default_params();
    p.n_ctx                = params.n_ctx;
    p.n_batch              = params.n_batch;
    p.n_ubatch             = params.n_batch;
    p.n_seq_max            = params.n_seq_max;
    p.n_outputs_max        = max_outputs(*model, params);
    p.n_threads            = params.n_threads;
    p.n_threads_batch      = params.n_threads;
    p.flash_attn_type      = params.flash_attn;
    p.type_k               = params.kv_type;
    p.type_v               = params.kv_type;
    p.kv_unified           = true;
    p.no_perf              = true;
    // A decode moves the running states of other sequences too, so it is only stopped before it begins.
    if (!recurrent) {
        p.abort_callback = [](void * flag) {
            return static_cast<std::atomic<bool> *>(flag)->load();
        };
        p.abort_callback_data = interrupted;
    }
    if (params.capture_attention) {
        p.cb_eval           = attention_capture::on_tensor;
        p.cb_eval_user_data = &capture;
    }

    log_scope scope;
    ctx.reset(llama_init_from_model(model->get(), p));
    if (!ctx) {
        throw failure(error_code::MODEL_LOAD, "cannot create a context of " + std::to_string(params.n_ctx) +
                                                  " tokens for " + model->params().path + ": " +
                                                  scope.reason("llama.cpp refused it"));
    }
    auto & loras = model->lora_adapters();
    if (!loras.empty()) {
        std::vector<float> scales;
        for (const lora_params & lora : model->params().loras) {
            scales.push_back(lora.scale);
        }
        if (llama_set_adapters_lora(ctx.get(), loras.data(), loras.size(), scales.data()) != 0) {
            throw failure(error_code::MODEL_LOAD,
                          "cannot apply the LoRA adapters: " + scope.reason("llama.cpp refused them"));
        }
    }
    memory_by_device = context_memory(ctx.get());
    attach_threads(params.n_threads);
    n.n_threads = params.n_threads;
}

vlm_context::~vlm_context() {
    detach_threads();
}

// Without a pool of its own, ggml's CPU backend starts and joins its threads in every decode.
void vlm_context::attach_threads(int32_t n_threads) {
    if (n_threads < 2) {
        return;
    }
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_reg_t reg = cpu ? ggml_backend_dev_backend_reg(cpu) : nullptr;
    if (!reg) {
        return;
    }
    const auto create = (decltype(&ggml_threadpool_new)) ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_new");
    ggml_threadpool_params params = ggml_threadpool_params_default(n_threads);
    threads                       = create ? create(&params) : nullptr;
    if (threads) {
        llama_attach_threadpool(ctx.get(), threads, threads);
    }
}

void vlm_context::detach_threads() {
    if (!threads) {
        return;
    }
    llama_detach_threadpool(ctx.get());
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
    const auto free = (decltype(&ggml_threadpool_free)) ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_free");
    free(threads);
    threads = nullptr;
}

// A pool of just as many: the threads of a larger one would spin between the calls.
void vlm_context::set_threads(int32_t n_threads) {
    detach_threads();
    llama_set_n_threads(ctx.get(), n_threads, n_threads);
    attach_threads(n_threads);
}

void vlm_context::undecode(llama_seq_id id, size_t n_decoded, llama_pos pos) {
    sequence & s = seq(id);
    if (n_decoded < s.n_decoded) {
        const size_t n_left = take_back(ctx.get(), id, n_decoded, pos, s.checkpoints);
        for (size_t i = n_left; i < s.n_decoded; i++) {
            s.cells[i] = ledger.own(s.cells[i]);
        }
        s.n_decoded = n_left;
        s.logits.reset();
    }
}

void vlm_context::keep_checkpoint(llama_seq_id id) {
    sequence & s = seq(id);
    if (recurrent && !s.tokens.empty()) {
        s.checkpoints.push_back(keep_state(ctx.get(), id, s.tokens.size(), s.n_pos));
    }
}

void vlm_context::truncate(llama_seq_id id, size_t n_tokens, llama_pos n_pos) {
    sequence & s = seq(id);
    if (n_tokens >= s.tokens.size()) {
        return;
    }
    undecode(id, n_tokens, n_pos);
    for (size_t i = n_tokens; i < s.cells.size(); i++) {
        ledger.give_back(s.cells[i]);
    }
    s.tokens.resize(n_tokens);
    s.cells.resize(n_tokens);
    s.n_pos = n_pos;
    s.logits.reset();
    while (!s.checkpoints.empty() && s.checkpoints.back()->n_tokens > n_tokens) {
        s.checkpoints.pop_back();
    }
}

void vlm_context::copy(llama_seq_id src, llama_seq_id dst) {
    truncate(dst, 0, 0);
    llama_memory_seq_cp(llama_get_memory(ctx.get()), src, dst, -1, -1);
    sequence & s = seq(dst);
    s            = seq(src);
    for (size_t i = 0; i < s.cells.size(); i++) {
        if (i < s.n_decoded) {
            ledger.share(s.cells[i]);
        } else {
            s.cells[i] = ledger.take();
        }
    }
}

void vlm_context::require_cells(llama_seq_id id, size_t n_more) const {
    if (n_more <= ledger.n_free()) {
        return;
    }
    throw failure(error_code::CONTEXT_FULL, "a session of " + std::to_string(sequences[(size_t) id].tokens.size()) +
                                                " tokens needs " + std::to_string(n_more) +
                                                " more, but of the context's " + std::to_string(ctx_params.n_ctx) +
                                                " only " + std::to_string(ledger.n_free()) +
                                                " are free; give the context a greater nCtx, or dispose sessions");
}

void vlm_context::push_tokens(llama_seq_id id, const std::vector<llama_token> & tokens) {
    require_cells(id, tokens.size());
    sequence & s = seq(id);
    for (llama_token token : tokens) {
        s.tokens.push_back(token);
        s.cells.push_back(ledger.take());
    }
    s.n_pos += (llama_pos) tokens.size();
    s.logits.reset();
}

void vlm_context::want_logits(llama_seq_id id) {
    sequence & s = seq(id);
    if (s.logits || s.n_pending() > 0) {
        return;
    }
    if (s.tokens.empty() || s.tokens.back() == LLAMA_TOKEN_NULL) {
        throw failure(error_code::USAGE, s.tokens.empty() ?
                                             "an empty session has no next token; append something first" :
                                             "an image has no next token; append text behind it first");
    }
    undecode(id, s.n_decoded - 1, s.n_pos - 1);
}

std::shared_ptr<logits_row> vlm_context::keep_logits(int32_t i_batch) {
    auto row     = std::make_shared<logits_row>();
    row->i_batch = i_batch;
    rows_in_output.push_back(row);
    return row;
}

const float * vlm_context::logits_of(const logits_row & row) const {
    return row.i_batch < 0 ? row.copy.data() : llama_get_logits_ith(ctx.get(), row.i_batch);
}

float vlm_context::normaliser(const float * logits) const {
    const float lse = log_sum_exp(logits, (size_t) model->n_vocab());
    if (!std::isfinite(lse)) {
        throw failure(error_code::DECODE,
                      "the model's logits are not numbers; `framewright gguf validate --nan` tells whether its "
                      "file is damaged");
    }
    return lse;
}

int vlm_context::timed_decode(const llama_batch & llama_batch, bool single_step) {
    if (recurrent && is_interrupted()) {
        return decode_aborted;
    }
    for (const auto & weak : rows_in_output) {
        if (const auto row = weak.lock()) {
            const float * logits = logits_of(*row);
            row->copy.assign(logits, logits + model->n_vocab());
            row->i_batch = -1;
        }
    }
    rows_in_output.clear();
    capture.begin_batch((size_t) llama_batch.n_tokens);

    const int64_t start_us = ggml_time_us();
    governor.begin_call(start_us);
    const int rc = llama_decode(ctx.get(), llama_batch);
    llama_synchronize(ctx.get());
    const int64_t end_us = ggml_time_us();
    if (governor.end_call(end_us)) {
        set_threads(governor.threads());
    }

    std::lock_guard<std::mutex> lock(shared_mutex);
    n.n_threads = governor.threads();
    n.n_decode_calls++;
    n.n_tokens_decoded += rc == 0 ? (uint64_t) llama_batch.n_tokens : 0;
    n.n_single_token_steps += single_step;
    const double us = (double) (end_us - start_us);
    n.decode_us += us;
    n.image_us += llama_batch.embd ? us : 0;
    n.step_us += single_step ? us : 0;
    if (!memory_is_final) {
        // Adapters make llama.cpp reserve its compute buffers once more, in the first decode.
        memory_by_device = context_memory(ctx.get());
        memory_is_final  = true;
    }
    return rc;
}

token_batch & vlm_context::empty_batch() {
    batch.clear();
    return batch;
}

bool vlm_context::decode(token_batch & tokens) {
    log_scope scope;
    const int rc = timed_decode(tokens.get(), tokens.is_single_step());
    switch (rc) {
        case 0:
            capture.end_batch(tokens.cell_ids());
            return true;
        case decode_aborted:
            return false;
        case decode_no_room:
            throw failure(error_code::CONTEXT_FULL, "the KV cache of " + std::to_string(ctx_params.n_ctx) +
                                                        " tokens has no room for a batch of " +
                                                        std::to_string(tokens.size()) +
                                                        "; give the context a greater nCtx, or dispose sessions");
        default:
            throw failure(error_code::DECODE, "llama_decode failed with " + std::to_string(rc) + " on a batch of " +
                                                  std::to_string(tokens.size()) +
                                                  " tokens: " + scope.reason("no reason logged"));
    }
}

void vlm_context::flush(llama_seq_id id) {
    pending_feed feed(id);
    while (seq(id).n_pending() > 0) {
        feed.fill(*this, empty_batch());
        try {
            if (!decode(batch)) {
                throw failure(error_code::DECODE, "decoding was interrupted");
            }
        } catch (const failure &) {
            feed.undo(*this);
            throw;
        }
        feed.consume(*this);
    }
}

void vlm_context::count_reading(int64_t us) {
    std::lock_guard<std::mutex> lock(shared_mutex);
    n.read_us += (double) us;
}

context_counters vlm_context::counters() const {
    std::lock_guard<std::mutex> lock(shared_mutex);
    return n;
}

std::vector<device_memory> vlm_context::memory() const {
    std::lock_guard<std::mutex> lock(shared_mutex);
    return memory_by_device;
}
