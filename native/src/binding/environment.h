#pragma once

#include <napi.h>

#include <atomic>
#include <set>

class worker;

// What an environment (the main thread, or a worker_thread) has of its own. Touched by its JS thread only, but for the
// flag.
struct environment {
    Napi::FunctionReference  embedding_class;
    std::set<worker *>       workers;  // those that run
    uint64_t                 log_cursor   = 0;
    uint64_t                 log_listener = 0;
    napi_threadsafe_function log_wake     = nullptr;
    std::atomic<bool>        log_wake_pending{ false };

    static environment & of(Napi::Env env) { return *env.GetInstanceData<environment>(); }
};
