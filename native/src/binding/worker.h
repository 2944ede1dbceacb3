#pragma once

#include "environment.h"
#include "support/failure.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

// Something a worker has for its JS thread.
struct delivery {
    virtual ~delivery()                 = default;
    virtual void deliver(Napi::Env env) = 0;
};

// Work for a worker thread. Arguments are copied in on the JS thread; run() touches no JS.
struct task {
    virtual ~task() = default;

    // On the worker's thread. Anything thrown rejects the promise.
    virtual void run() = 0;

    // On the JS thread, after run() returned: what the promise resolves with.
    virtual Napi::Value result(Napi::Env env) = 0;
};

// A thread that runs tasks in order, for one environment. A pending task keeps the event loop alive, an idle worker
// does not. Public functions belong to the JS thread unless they say otherwise.
class worker {
  public:
    // `name` lives as long as the worker.
    explicit worker(Napi::Env env, const char * name);
    ~worker();
    worker(const worker &)             = delete;
    worker & operator=(const worker &) = delete;

    // A worker that was stopped rejects with DISPOSED.
    Napi::Promise submit(Napi::Env env, std::unique_ptr<task> work);

    // From the worker's own thread: delivered in order, before the result of the task that runs.
    void post(std::unique_ptr<delivery> message);

    // Asks the task that runs to give up; what a task does about it is its own affair. A task submitted while no other
    // is pending starts with the request withdrawn.
    void interrupt() { interrupt_flag = true; }

    // The flag itself, for C callbacks; it lives as long as the worker.
    std::atomic<bool> * interrupt_address() { return &interrupt_flag; }

    // Interrupts, drops the tasks that wait, and joins the thread. Idempotent.
    void stop();

  private:
    struct pending_task;
    friend struct pending_task;
    static void                   on_delivery(napi_env env, napi_value callback, void * context, void * data);
    static void                   on_environment_exit(void * self);
    void                          loop();
    std::unique_ptr<pending_task> next_task();

    napi_env                                  env;
    napi_threadsafe_function                  to_js = nullptr;
    std::atomic<bool>                         interrupt_flag{ false };
    std::mutex                                mutex;
    std::condition_variable                   wakeup;
    std::deque<std::unique_ptr<pending_task>> queue;
    std::atomic<bool>                         stopping{ false };
    std::atomic<size_t>                       n_queued{ 0 };
    size_t                                    n_pending = 0;  // JS thread: submitted and not yet delivered
    std::thread                               thread;
};

// An Error with a `code`, as src/runtime expects it.
Napi::Error make_error(Napi::Env env, error_code code, const std::string & message);
