#pragma once

#include "ggml-backend.h"

#include <string>
#include <vector>

// Loads the best backend library of each kind in a folder, once per process. Names of all backends registered by now.
std::vector<std::string> load_backends(const std::string & folder);

// Loads one backend library, once per process. Empty if it is registered now, else why not.
std::string load_backend(const std::string & file);

// Names of the formats the CPU backend repacks weights into (`AMX`, `CPU_REPACK`), the preferred one first.
std::vector<std::string> host_formats();

// Devices by the names that ggml gives them; throws MODEL_LOAD for a name no backend has.
std::vector<ggml_backend_dev_t> devices_by_name(const std::vector<std::string> & names);
