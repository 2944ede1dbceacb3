#include "thread_governor.h"

#include <algorithm>
#include <cmath>

// Processors' times are counted in steps of 10 ms on Linux and 15.6 ms on Windows: shorter windows would tell noise.
static constexpr int64_t window_us         = 150'000;
// Between calls longer than this something else was done, whose threads are not ours to be counted as others'.
static constexpr int64_t gap_us            = 20'000;
// A processor that is free for this share of the time is worth a thread.
static constexpr double  enough            = 0.75;
// Threads that get less of the time than this, together, wait for processors.
static constexpr double  least_share       = 0.8;
static constexpr int64_t least_patience_us = 1'000'000;
static constexpr int64_t most_patience_us  = 16'000'000;

thread_governor::thread_governor(int32_t most, bool follows) :
    most(most),
    n(most),
    follows(follows && most > 1 && read_machine_load().n_cpus > 0) {}

void thread_governor::begin_call(int64_t now_us) {
    call_start_us = now_us;
    if (follows && (window_start_us == 0 || now_us - last_end_us > gap_us)) {
        before          = read_machine_load();
        window_start_us = now_us;
        computing_us    = 0;
    }
}

bool thread_governor::end_call(int64_t now_us) {
    last_end_us = now_us;
    computing_us += now_us - call_start_us;
    if (!follows || now_us - window_start_us < window_us) {
        return false;
    }
    const machine_load now       = read_machine_load();
    const double       own_ms    = (double) (now.own_ms - before.own_ms);
    const double       window_ms = (double) (now_us - window_start_us) / 1000;
    const bool         starved   = is_starved(own_ms);
    int32_t            target    = affordable((double) (now.busy_ms - before.busy_ms), own_ms, window_ms);
    if (starved) {
        // Fewer processors than the machine has: a quota, or only some of them. Nobody tells when one is free again.
        target            = std::min(target, n - 1);
        patience_us       = std::clamp(2 * patience_us, least_patience_us, most_patience_us);
        no_more_before_us = now_us + patience_us;
    } else if (n == most) {
        patience_us = 0;
    }
    before          = now;
    window_start_us = now_us;
    computing_us    = 0;
    if (target > n) {
        // One at a time: what is free now may be taken by the next look.
        target = now_us < no_more_before_us ? n : n + 1;
    }
    const bool changed = target != n;
    n                  = target;
    return changed;
}

int32_t thread_governor::affordable(double busy_ms, double own_ms, double window_ms) const {
    // Of this process's time, what the calls can have taken; the rest is other threads of it, which want their share too.
    const double computing = std::min(own_ms, (double) computing_us / 1000 * n);
    const double others    = std::max(0.0, busy_ms - computing) / window_ms;
    return std::clamp((int32_t) std::floor(before.n_cpus - others + (1 - enough)), 1, most);
}

// Threads that compute, or wait for each other, take all the time they are given.
bool thread_governor::is_starved(double own_ms) const {
    return n > 1 && own_ms < least_share * n * (double) computing_us / 1000;
}
