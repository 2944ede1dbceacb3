#include "context.h"
#include "support/failure.h"
#include "support/log_sink.h"

#include <cstring>

// A saved sequence: this header, the tokens, the logits after the last one or none, llama.cpp's state of the sequence.
struct state_header {
    char     magic[8];
    uint64_t model;     // vlm_model::fingerprint
    uint64_t checksum;  // of everything behind the header
    uint32_t kv_type;
    uint32_t n_tokens;
    int32_t  n_pos;
    uint32_t version;   // LLAMA_STATE_SEQ_VERSION: llama.cpp looks at it in files only
    uint32_t n_logits;  // of the vocabulary, or 0
};

static constexpr char magic[8] = { 'F', 'W', 'S', 'E', 'Q', '0', '0', '2' };

// FNV-1a over eight bytes at a time, which is as good against damage and eight times as fast.
static uint64_t checksum(const uint8_t * data, size_t n) {
    uint64_t hash = 14695981039346656037ull ^ n;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        std::memcpy(&word, data + i, std::min<size_t>(8, n - i));
        hash = (hash ^ word) * 1099511628211ull;
        hash ^= hash >> 29;
    }
    return hash;
}

std::vector<uint8_t> vlm_context::save(llama_seq_id id) {
    const sequence & s           = seq(id);
    // Others decode the last token again when its logits are wanted, which a recurrent model cannot once it is restored.
    const bool       with_logits = recurrent && !s.tokens.empty() && s.tokens.back() != LLAMA_TOKEN_NULL;
    if (with_logits) {
        want_logits(id);
    }
    flush(id);
    const size_t n_logits    = with_logits ? (size_t) model->n_vocab() : 0;
    const size_t token_bytes = s.tokens.size() * sizeof(llama_token);
    const size_t logit_bytes = n_logits * sizeof(float);
    const size_t state_bytes = llama_state_seq_get_size(ctx.get(), id);

    std::vector<uint8_t> out(sizeof(state_header) + token_bytes + logit_bytes + state_bytes);
    uint8_t *            body = out.data() + sizeof(state_header);
    if (token_bytes > 0) {
        std::memcpy(body, s.tokens.data(), token_bytes);
    }
    if (logit_bytes > 0) {
        std::memcpy(body + token_bytes, logits_of(*s.logits), logit_bytes);
    }
    if (llama_state_seq_get_data(ctx.get(), body + token_bytes + logit_bytes, state_bytes, id) != state_bytes) {
        throw failure(error_code::INTERNAL, "llama.cpp wrote another number of bytes than it announced");
    }
    state_header header = {};
    std::memcpy(header.magic, magic, sizeof(magic));
    header.model    = model->fingerprint();
    header.checksum = checksum(body, token_bytes + logit_bytes + state_bytes);
    header.kv_type  = (uint32_t) ctx_params.kv_type;
    header.n_tokens = (uint32_t) s.tokens.size();
    header.n_logits = (uint32_t) n_logits;
    header.n_pos    = s.n_pos;
    header.version  = LLAMA_STATE_SEQ_VERSION;
    std::memcpy(out.data(), &header, sizeof(header));
    return out;
}

void vlm_context::restore(llama_seq_id id, llama_seq_id scratch, const std::vector<uint8_t> & state) {
    state_header header;
    if (state.size() < sizeof(header)) {
        throw failure(error_code::USAGE,
                      "this is not a saved session: it has only " + std::to_string(state.size()) + " bytes");
    }
    std::memcpy(&header, state.data(), sizeof(header));
    if (std::memcmp(header.magic, magic, sizeof(magic)) != 0 || header.version != LLAMA_STATE_SEQ_VERSION) {
        throw failure(error_code::USAGE, "this is not a session saved by this version of Framewright");
    }
    if (header.model != model->fingerprint()) {
        throw failure(error_code::USAGE, "the session was saved with another model than " + model->params().path +
                                             ", or with other LoRA adapters");
    }
    if (header.kv_type != (uint32_t) ctx_params.kv_type) {
        throw failure(error_code::USAGE, "the session was saved in a context of another kvType");
    }
    const uint8_t * body        = state.data() + sizeof(header);
    const size_t    n_body      = state.size() - sizeof(header);
    const size_t    token_bytes = (size_t) header.n_tokens * sizeof(llama_token);
    const size_t    state_from  = token_bytes + (size_t) header.n_logits * sizeof(float);
    const bool      is_whole    = header.n_logits == 0 || header.n_logits == (uint32_t) model->n_vocab();
    if (!is_whole || state_from > n_body || header.checksum != checksum(body, n_body)) {
        throw failure(error_code::USAGE, "the saved session is damaged or cut off");
    }

    // Read into an empty sequence first: a failed read empties the one it goes to.
    const bool         in_place = seq(id).tokens.empty();
    const llama_seq_id target   = in_place ? id : scratch;
    if (target < 0) {
        throw failure(error_code::CONTEXT_FULL,
                      "restoring into a session that is not empty needs a free sequence; dispose a "
                      "session, or give the context a greater nSeqMax");
    }
    require_cells(target, header.n_tokens);
    log_scope scope;
    if (llama_state_seq_set_data(ctx.get(), body + state_from, n_body - state_from, target) == 0) {
        truncate(target, 0, 0);
        throw failure(error_code::USAGE, "the session was saved in a context with another flashAttention: " +
                                             scope.reason("llama.cpp refused it"));
    }
    sequence & s = seq(target);
    s.tokens.resize(header.n_tokens);
    if (token_bytes > 0) {
        std::memcpy(s.tokens.data(), body, token_bytes);
    }
    s.n_decoded = header.n_tokens;
    s.n_pos     = header.n_pos;
    for (uint32_t i = 0; i < header.n_tokens; i++) {
        s.cells.push_back(ledger.take());
        capture.forget(s.cells.back());
    }
    if (header.n_logits > 0) {
        s.logits = std::make_shared<logits_row>();
        s.logits->copy.resize(header.n_logits);
        std::memcpy(s.logits->copy.data(), body + token_bytes, state_from - token_bytes);
    }
    keep_checkpoint(target);
    if (!in_place) {
        copy(target, id);
        truncate(target, 0, 0);
    }
}
