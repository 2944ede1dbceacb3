#include "backends.h"

#include "failure.h"
#include "llama.h"
#include "log_sink.h"

#include <map>
#include <mutex>
#include <set>

// ggml's registry is not locked, and several environments of a process may come here at once.
static std::mutex registry_mutex;

std::vector<std::string> load_backends(const std::string & folder) {
    std::lock_guard<std::mutex> lock(registry_mutex);
    static auto *               loaded = new std::set<std::string>();
    if (loaded->insert(folder).second) {
        ggml_backend_load_all_from_path(folder.c_str());
    }
    std::vector<std::string> names;
    for (size_t i = 0; i < ggml_backend_reg_count(); i++) {
        names.emplace_back(ggml_backend_reg_name(ggml_backend_reg_get(i)));
    }
    static std::once_flag once;
    // With no backend registered it would search the working directory for libraries.
    if (!names.empty()) {
        std::call_once(once, llama_backend_init);
    }
    return names;
}

std::string load_backend(const std::string & file) {
    std::lock_guard<std::mutex> lock(registry_mutex);
    static auto *               results = new std::map<std::string, std::string>();
    const auto                  known   = results->find(file);
    if (known != results->end()) {
        return known->second;
    }
    log_scope                scope;
    const ggml_backend_reg_t reg = ggml_backend_load(file.c_str());
    std::string              error;
    if (!reg) {
        error = scope.reason("the library is not a backend of this llama.cpp");
    } else if (ggml_backend_reg_dev_count(reg) == 0) {
        error = scope.reason("the library found no device");
    }
    return results->emplace(file, error).first->second;
}

std::vector<std::string> host_formats() {
    std::lock_guard<std::mutex> lock(registry_mutex);
    std::vector<std::string>    names;
    ggml_backend_dev_t          cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!cpu) {
        return names;
    }
    const auto extra_types = (ggml_backend_dev_get_extra_bufts_t) ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(cpu), "ggml_backend_dev_get_extra_bufts");
    for (auto * type = extra_types ? extra_types(cpu) : nullptr; type && *type; type++) {
        names.emplace_back(ggml_backend_buft_name(*type));
    }
    return names;
}

std::vector<ggml_backend_dev_t> devices_by_name(const std::vector<std::string> & names) {
    std::lock_guard<std::mutex>     lock(registry_mutex);
    std::vector<ggml_backend_dev_t> devices;
    for (const std::string & name : names) {
        ggml_backend_dev_t device = ggml_backend_dev_by_name(name.c_str());
        if (!device) {
            throw failure(error_code::MODEL_LOAD, "no backend has a device named " + name);
        }
        devices.push_back(device);
    }
    return devices;
}
