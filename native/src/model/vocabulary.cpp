#include "vocabulary.h"

vocabulary_index::vocabulary_index(const llama_vocab * vocab) {
    byte_tokens.fill(none);
    char buffer[2];
    for (llama_token token = 0; token < llama_vocab_n_tokens(vocab); token++) {
        if (llama_vocab_is_eog(vocab, token)) {
            end_tokens.push_back(token);
            continue;
        }
        if (llama_vocab_get_attr(vocab, token) & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNUSED)) {
            continue;
        }
        // Too small a buffer is no matter for the length, but leaves the buffer as it was.
        const int32_t n = llama_token_to_piece(vocab, token, buffer, sizeof(buffer), 0, true);
        if (n == 0) {
            continue;
        }
        uint8_t first = (uint8_t) buffer[0];
        if (n < 0) {
            std::vector<char> text((size_t) -n);
            llama_token_to_piece(vocab, token, text.data(), -n, 0, true);
            first = (uint8_t) text[0];
        }
        if (first == 0) {
            continue;  // llama.cpp's grammars take a zero byte for the end
        }
        by_first_byte[first].push_back(token);
        if (n == 1 && byte_tokens[first] == none) {
            byte_tokens[first] = token;
        }
    }
}
