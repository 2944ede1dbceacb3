#pragma once

#include "model/model.h"

#include <bitset>
#include <memory>
#include <string>
#include <vector>

// A GBNF grammar (llama.cpp's grammars/README.md) that follows one text. Control tokens never fit, unless the grammar
// names tokens itself.
class grammar {
  public:
    // Throws GRAMMAR if llama.cpp cannot parse the text or it has no rule `root`.
    grammar(const vlm_model & model, const std::string & text);

    // Whether the token may come next. A token that ends the generation may where the grammar may end.
    bool allows(llama_token token) const;

    // Goes on behind a token that may come next and is no end token.
    void accept(llama_token token) { llama_sampler_accept(sampler.get(), token); }

    // Nothing but an end may come next.
    bool is_complete() const;

    // All tokens that may come next, with their logits. Throws GRAMMAR if there are none.
    std::vector<llama_token_data> allowed(const float * logits) const;

  private:
    struct sampler_deleter {
        void operator()(llama_sampler * sampler) const { llama_sampler_free(sampler); }
    };

    std::vector<llama_token_data> filter(const std::vector<llama_token> & tokens) const;
    std::bitset<256>              possible_first_bytes(bool & certain) const;

    const vlm_model &                               model;
    std::unique_ptr<llama_sampler, sampler_deleter> sampler;
    bool                                            names_tokens;
};
