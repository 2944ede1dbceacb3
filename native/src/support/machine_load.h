#pragma once

#include <cstdint>

// What the machine's processors and this process did since some moment, in milliseconds of one processor.
struct machine_load {
    int64_t busy_ms = 0;  // of all processors together
    int64_t own_ms  = 0;  // of this process
    int32_t n_cpus  = 0;  // 0 where the system does not tell
};

machine_load read_machine_load();
