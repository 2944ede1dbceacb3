#include "recurrent.h"

#include "support/failure.h"

#include <algorithm>

bool is_recurrent(const llama_model * model) {
    return llama_model_is_recurrent(model) || llama_model_is_hybrid(model);
}

std::shared_ptr<const state_checkpoint> keep_state(llama_context * ctx,
                                                   llama_seq_id    seq,
                                                   size_t          n_tokens,
                                                   llama_pos       n_pos) {
    auto kept      = std::make_shared<state_checkpoint>();
    kept->n_tokens = n_tokens;
    kept->n_pos    = n_pos;
    kept->state.resize(llama_state_seq_get_size_ext(ctx, seq, LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY));
    const size_t n_written = llama_state_seq_get_data_ext(ctx, kept->state.data(), kept->state.size(), seq,
                                                          LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY);
    if (n_written != kept->state.size()) {
        throw failure(error_code::INTERNAL, "llama.cpp wrote another number of bytes than it announced");
    }
    return kept;
}

size_t take_back(llama_context *           ctx,
                 llama_seq_id              seq,
                 size_t                    n_tokens,
                 llama_pos                 pos,
                 const state_checkpoints & checkpoints) {
    llama_memory_t memory = llama_get_memory(ctx);
    if (llama_memory_seq_rm(memory, seq, pos, -1)) {
        return n_tokens;
    }
    const auto kept = std::find_if(checkpoints.rbegin(), checkpoints.rend(),
                                   [n_tokens](const auto & each) { return each->n_tokens <= n_tokens; });
    if (kept == checkpoints.rend()) {
        llama_memory_seq_rm(memory, seq, -1, -1);
        return 0;
    }
    const state_checkpoint & checkpoint = **kept;
    if (llama_state_seq_set_data_ext(ctx, checkpoint.state.data(), checkpoint.state.size(), seq,
                                     LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY) == 0) {
        throw failure(error_code::INTERNAL, "llama.cpp did not take its own state back");
    }
    llama_memory_seq_rm(memory, seq, checkpoint.n_pos, -1);
    return checkpoint.n_tokens;
}
