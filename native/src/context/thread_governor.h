#pragma once

#include "support/machine_load.h"

#include <cstdint>

// How many threads a context computes with while others work on the same machine. ggml's threads spin at their barriers:
// one that waits for a processor holds up all others at every barrier, which costs many times what it adds.
//
// Looks at what of a stretch of computing went to others, and gives up the threads those took, or takes back what is free.
class thread_governor {
  public:
    // `most` threads on an idle machine; always that many unless it `follows`.
    thread_governor(int32_t most, bool follows);

    // Before a call and after it, in microseconds of a clock that never goes back. True if `threads` is another number now.
    void begin_call(int64_t now_us);
    bool end_call(int64_t now_us);

    int32_t threads() const { return n; }

  private:
    int32_t affordable(double busy_ms, double own_ms, double window_ms) const;
    bool    is_starved(double own_ms) const;

    int32_t      most;
    int32_t      n;
    bool         follows;
    machine_load before;
    int64_t      window_start_us   = 0;
    int64_t      call_start_us     = 0;
    int64_t      last_end_us       = 0;
    int64_t      computing_us      = 0;  // of the window, in calls
    int64_t      no_more_before_us = 0;
    int64_t      patience_us       = 0;
};
