#include "pending_feed.h"

#include "context.h"

void pending_feed::fill(vlm_context & ctx, token_batch & batch) {
    sequence & s  = ctx.seq(id);
    n_before      = s.n_decoded;
    pos_before    = s.first_pending_pos();
    i_first       = batch.size();
    i_output      = -1;
    llama_pos pos = pos_before;
    while (s.n_pending() > 0) {
        const bool last = s.n_pending() == 1;
        if (!batch.has_room(last)) {
            break;
        }
        const int32_t row = batch.add(s.tokens[s.n_decoded], pos++, s.cells[s.n_decoded], &id, 1, last);
        s.n_decoded++;
        if (last) {
            i_output = row;
        }
    }
}

bool pending_feed::consume(vlm_context & ctx) {
    if (i_output < 0) {
        return false;
    }
    ctx.seq(id).logits = ctx.keep_logits(i_output);
    return true;
}

void pending_feed::undo(vlm_context & ctx) {
    ctx.undecode(id, n_before, pos_before);
}
