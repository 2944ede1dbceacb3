#include "backends.h"

#include "failure.h"
#include "llama.h"
#include "log_sink.h"

#include <map>
#include <mutex>
#include <set>

#ifdef _WIN32
#    define NOMINMAX
#    include <windows.h>

#    include <filesystem>
#else
#    include <dlfcn.h>
#endif

// What each library of ggml's with variants exports as `ggml_backend_score`.
using score_function = int (*)();

// ggml's registry is not locked, and several environments of a process may come here at once.
static std::mutex registry_mutex;

std::vector<std::string> load_backends(const std::string & folder, const std::string & cpu) {
    std::lock_guard<std::mutex> lock(registry_mutex);
    static auto *               loaded = new std::set<std::string>();
    if (loaded->insert(folder).second) {
        if (cpu.empty()) {
            ggml_backend_load_all_from_path(folder.c_str());
        } else {
            ggml_backend_load(cpu.c_str());
        }
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

int cpu_score(const std::string & file) {
    // Loaded and let go of as ggml itself does to find the best: the library's own test uses no instruction it asks for.
#ifdef _WIN32
    const HMODULE library = LoadLibraryW(std::filesystem::u8path(file).c_str());
    const auto    score   = library ? (score_function) GetProcAddress(library, "ggml_backend_score") : nullptr;
    const int     result  = score ? score() : 0;
    if (library) {
        FreeLibrary(library);
    }
#else
    void *     library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto score   = library ? (score_function) dlsym(library, "ggml_backend_score") : nullptr;
    const int  result  = score ? score() : 0;
    if (library) {
        dlclose(library);
    }
#endif
    return result;
}

std::string cpu_library() {
    std::lock_guard<std::mutex> lock(registry_mutex);
    const ggml_backend_dev_t    cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    // The registry keeps no file names: whose code a function of it is, the dynamic loader knows.
    void *                      function =
        cpu ? ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), "ggml_backend_set_n_threads") :
              nullptr;
    if (!function) {
        return {};
    }
#ifdef _WIN32
    HMODULE library = nullptr;
    wchar_t file[32768];
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (LPCWSTR) function, &library) ||
        GetModuleFileNameW(library, file, 32768) == 0) {
        return {};
    }
    return std::filesystem::path(file).u8string();
#else
    Dl_info info;
    return dladdr(function, &info) && info.dli_fname ? info.dli_fname : std::string();
#endif
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
