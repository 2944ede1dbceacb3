#pragma once

#include "ggml.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// llama.cpp, libmtmd and its helpers each have one log hook a process: all three end here, in a ring of the last lines.
struct log_line {
    ggml_log_level level;
    std::string    text;
};

// Sets the hooks, the first time it is called. Before that they print to stderr.
void log_sink_install();

// Lines since `cursor`, oldest first; moves it behind the last one. A cursor of 0 starts with the oldest line kept.
std::vector<log_line> log_sink_read(uint64_t & cursor);

// `wake` is called, on any thread and under the sink's lock, after a line was added. Returns an id for remove.
uint64_t log_sink_add_listener(std::function<void()> wake);

// When it returns, the listener is not running and will not run.
void log_sink_remove_listener(uint64_t id);

// While it lives, collects what its thread logs as warnings and errors: the reason behind a null pointer.
class log_scope {
  public:
    log_scope();
    ~log_scope();
    log_scope(const log_scope &)             = delete;
    log_scope & operator=(const log_scope &) = delete;

    // Called with each piece of text as it is logged, before anything else is done with it. May throw.
    std::function<void(const char * text)> on_text;

    // The last error lines on one line, or `otherwise` if none was logged.
    std::string reason(const std::string & otherwise) const;

  private:
    friend void log_scope_add(ggml_log_level level, const std::string & text);
    friend void log_scope_hear(const char * text);

    log_scope *              outer;
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};
