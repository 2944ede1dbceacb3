#pragma once

#include <stdexcept>
#include <string>

// The codes of src/base/errors.ts that native code fails with.
enum class error_code {
    CONTEXT_FULL,
    DECODE,
    DISPOSED,
    GRAMMAR,
    MODEL_LOAD,
    MODEL_UNSUPPORTED,
    USAGE,
    INTERNAL,  // the last one
};

const char * to_string(error_code code);

// Everything thrown on a worker thread ends as one of these.
struct failure : std::runtime_error {
    error_code code;

    failure(error_code code, const std::string & message) : std::runtime_error(message), code(code) {}
};
