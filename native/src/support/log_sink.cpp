#include "log_sink.h"

#include "llama.h"
#include "mtmd.h"

#include <deque>
#include <map>
#include <mutex>

static constexpr size_t max_lines_kept    = 1000;
static constexpr size_t max_reasons_kept  = 8;
static constexpr size_t max_reasons_shown = 3;

struct log_sink {
    std::mutex                                mutex;
    std::deque<log_line>                      lines;
    uint64_t                                  n_written = 0;
    std::map<uint64_t, std::function<void()>> listeners;
    uint64_t                                  next_listener = 1;
};

// Never destroyed: other threads may log while the process ends.
static log_sink & sink() {
    static auto * instance = new log_sink();
    return *instance;
}

static thread_local log_scope *    current_scope = nullptr;
// A line may come in pieces, each piece on the thread that began it.
static thread_local std::string    unfinished_text;
static thread_local ggml_log_level unfinished_level = GGML_LOG_LEVEL_INFO;

void log_scope_add(ggml_log_level level, const std::string & text) {
    if (!current_scope || (level != GGML_LOG_LEVEL_ERROR && level != GGML_LOG_LEVEL_WARN)) {
        return;
    }
    auto & kept = level == GGML_LOG_LEVEL_ERROR ? current_scope->errors : current_scope->warnings;
    kept.push_back(text);
    if (kept.size() > max_reasons_kept) {
        kept.erase(kept.begin());
    }
}

// llama.cpp's recurrent memory says so of every image and of the text behind it, whose positions are as M-RoPE wants them.
static bool is_expected(const std::string & text) {
    return text.find("non-consecutive token position") != std::string::npos;
}

static void add_line(ggml_log_level level, std::string text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) {
        text.pop_back();
    }
    if (text.empty()) {
        return;
    }
    if (is_expected(text)) {
        level = GGML_LOG_LEVEL_DEBUG;
    }
    log_scope_add(level, text);

    log_sink &                  s = sink();
    std::lock_guard<std::mutex> lock(s.mutex);
    s.lines.push_back({ level, std::move(text) });
    s.n_written++;
    if (s.lines.size() > max_lines_kept) {
        s.lines.pop_front();
    }
    for (const auto & [id, wake] : s.listeners) {
        wake();
    }
}

void log_scope_hear(const char * text) {
    if (current_scope && current_scope->on_text) {
        current_scope->on_text(text);
    }
}

static void on_log(ggml_log_level level, const char * text, void *) {
    log_scope_hear(text);
    if (level != GGML_LOG_LEVEL_CONT) {
        unfinished_level = level;
    }
    for (const char * p = text; *p; p++) {
        if (*p == '\n') {
            add_line(unfinished_level, std::move(unfinished_text));
            unfinished_text.clear();
        } else {
            unfinished_text += *p;
        }
    }
}

void log_sink_install() {
    static std::once_flag once;
    std::call_once(once, [] {
        llama_log_set(on_log, nullptr);
        mtmd_log_set(on_log, nullptr);
    });
}

std::vector<log_line> log_sink_read(uint64_t & cursor) {
    log_sink &                  s = sink();
    std::lock_guard<std::mutex> lock(s.mutex);
    const uint64_t              oldest = s.n_written - s.lines.size();
    const uint64_t              from   = std::max(cursor, oldest);
    std::vector<log_line>       result(s.lines.begin() + (long) (from - oldest), s.lines.end());
    cursor = s.n_written;
    return result;
}

uint64_t log_sink_add_listener(std::function<void()> wake) {
    log_sink &                  s = sink();
    std::lock_guard<std::mutex> lock(s.mutex);
    s.listeners.emplace(s.next_listener, std::move(wake));
    return s.next_listener++;
}

void log_sink_remove_listener(uint64_t id) {
    log_sink &                  s = sink();
    std::lock_guard<std::mutex> lock(s.mutex);
    s.listeners.erase(id);
}

log_scope::log_scope() : outer(current_scope) {
    current_scope = this;
}

log_scope::~log_scope() {
    current_scope = outer;
}

std::string log_scope::reason(const std::string & otherwise) const {
    const auto & lines = errors.empty() ? warnings : errors;
    std::string  result;
    for (size_t i = lines.size() > max_reasons_shown ? lines.size() - max_reasons_shown : 0; i < lines.size(); i++) {
        result += (result.empty() ? "" : "; ") + lines[i];
    }
    return result.empty() ? otherwise : result;
}
