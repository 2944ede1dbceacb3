#pragma once

#include "ggml-backend.h"

#include <string>
#include <vector>

// Loads the best backend library of each kind in a folder, once per process; where `cpu` names a library, that one alone.
// Names of all backends registered by now.
std::vector<std::string> load_backends(const std::string & folder, const std::string & cpu);

// How much of this processor a CPU backend's library makes use of, by its own account: 0 if it cannot be executed here,
// or is no such library.
int cpu_score(const std::string & file);

// File of the CPU backend in use; empty if there is none.
std::string cpu_library();

// Loads one backend library, once per process. Empty if it is registered now, else why not.
std::string load_backend(const std::string & file);

// Names of the formats the CPU backend repacks weights into (`AMX`, `CPU_REPACK`), the preferred one first.
std::vector<std::string> host_formats();

// Devices by the names that ggml gives them; throws MODEL_LOAD for a name no backend has.
std::vector<ggml_backend_dev_t> devices_by_name(const std::vector<std::string> & names);
