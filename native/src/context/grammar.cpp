#include "grammar.h"

#include "support/failure.h"
#include "support/log_sink.h"

#include <cmath>
#include <numeric>

// Whether a rule has an element like <|im_end|> or <[151645]>, which matches a token whatever its text.
static bool has_token_elements(const std::string & text) {
    char closing = 0;
    for (size_t i = 0; i < text.size(); i++) {
        const char c = text[i];
        if (closing) {
            if (c == '\\' && closing != '\n') {
                i++;
            } else if (c == closing) {
                closing = 0;
            }
        } else if (c == '"') {
            closing = '"';
        } else if (c == '[') {
            closing = ']';
        } else if (c == '#') {
            closing = '\n';
        } else if (c == '<') {
            return true;
        }
    }
    return false;
}

grammar::grammar(const vlm_model & model, const std::string & text) :
    model(model),
    names_tokens(has_token_elements(text)) {
    log_scope scope;
    // An empty text would be a sampler that allows everything.
    sampler.reset(text.empty() ? nullptr : llama_sampler_init_grammar(model.vocab(), text.c_str(), "root"));
    if (!sampler) {
        throw failure(error_code::GRAMMAR, "cannot parse the grammar: " + scope.reason("it is empty"));
    }
}

std::vector<llama_token_data> grammar::filter(const std::vector<llama_token> & tokens) const {
    std::vector<llama_token_data> candidates;
    candidates.reserve(tokens.size());
    for (llama_token token : tokens) {
        candidates.push_back({ token, 0.0f, 0.0f });
    }
    llama_token_data_array array = { candidates.data(), candidates.size(), -1, false };
    llama_sampler_apply(sampler.get(), &array);
    size_t n = 0;
    for (const llama_token_data & candidate : candidates) {
        if (std::isfinite(candidate.logit)) {
            candidates[n++] = candidate;
        }
    }
    candidates.resize(n);
    return candidates;
}

bool grammar::allows(llama_token token) const {
    const llama_vocab * vocab = model.vocab();
    const bool is_text = !(llama_vocab_get_attr(vocab, token) & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNUSED));
    return (is_text || names_tokens || llama_vocab_is_eog(vocab, token)) && !filter({ token }).empty();
}

// The first bytes a next token can have. Those of which the vocabulary has no token of their own are possible, but not
// certain.
std::bitset<256> grammar::possible_first_bytes(bool & certain) const {
    const vocabulary_index & index = model.vocabulary();
    std::bitset<256>         possible;
    std::vector<llama_token> tokens;
    for (size_t byte = 0; byte < 256; byte++) {
        if (index.byte_tokens[byte] != vocabulary_index::none) {
            tokens.push_back(index.byte_tokens[byte]);
        } else if (!index.by_first_byte[byte].empty()) {
            possible.set(byte);
        }
    }
    const auto fitting = filter(tokens);
    certain            = !fitting.empty();
    for (const llama_token_data & candidate : fitting) {
        for (size_t byte = 0; byte < 256; byte++) {
            if (index.byte_tokens[byte] == candidate.id) {
                possible.set(byte);
            }
        }
    }
    return possible;
}

std::vector<llama_token_data> grammar::allowed(const float * logits) const {
    const vocabulary_index & index = model.vocabulary();
    std::vector<llama_token> tokens;
    if (names_tokens) {
        tokens.resize((size_t) model.n_vocab());
        std::iota(tokens.begin(), tokens.end(), 0);
    } else {
        tokens = index.end_tokens;
        bool                   certain;
        const std::bitset<256> possible = possible_first_bytes(certain);
        for (size_t byte = 0; byte < 256; byte++) {
            if (possible.test(byte)) {
                const auto & same_byte = index.by_first_byte[byte];
                tokens.insert(tokens.end(), same_byte.begin(), same_byte.end());
            }
        }
    }
    std::vector<llama_token_data> result = filter(tokens);
    if (result.empty()) {
        throw failure(error_code::GRAMMAR, "no token of the vocabulary fits the grammar here");
    }
    for (llama_token_data & candidate : result) {
        candidate.logit = logits[candidate.id];
    }
    return result;
}

bool grammar::is_complete() const {
    const vocabulary_index & index = model.vocabulary();
    if (filter(index.end_tokens).empty()) {
        return false;
    }
    if (names_tokens) {
        const std::vector<float> no_logits((size_t) model.n_vocab());
        return allowed(no_logits.data()).size() <= index.end_tokens.size();
    }
    bool                   certain;
    const std::bitset<256> possible = possible_first_bytes(certain);
    for (size_t byte = 0; byte < 256 && !certain; byte++) {
        certain = possible.test(byte) && !filter(index.by_first_byte[byte]).empty();
    }
    return !certain;
}
