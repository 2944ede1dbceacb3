#pragma once

#include <stdexcept>
#include <string>

// An error with a code of src/base/errors.ts. Everything thrown on a worker thread ends as one of these.
struct failure : std::runtime_error {
    std::string code;

    failure(std::string code, const std::string & message) : std::runtime_error(message), code(std::move(code)) {}
};
