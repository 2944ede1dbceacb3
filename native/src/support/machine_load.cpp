#include "machine_load.h"

#if defined(_WIN32)
#    define WIN32_LEAN_AND_MEAN
#    define NOMINMAX
#    include <windows.h>

static int64_t to_ms(const FILETIME & t) {
    return (int64_t) ((((uint64_t) t.dwHighDateTime << 32) | t.dwLowDateTime) / 10'000);
}

machine_load read_machine_load() {
    machine_load load;
    FILETIME     idle, kernel, user, created, ended;
    if (GetSystemTimes(&idle, &kernel, &user)) {
        load.busy_ms = to_ms(kernel) + to_ms(user) - to_ms(idle);  // the kernel's holds the idle time
        load.n_cpus  = (int32_t) GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    }
    if (GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user)) {
        load.own_ms = to_ms(kernel) + to_ms(user);
    }
    return load;
}
#else
#    include <sys/resource.h>
#    include <unistd.h>

#    if defined(__APPLE__)
#        include <mach/mach.h>

static void read_processors(machine_load & load) {
    host_cpu_load_info_data_t info;
    mach_msg_type_number_t    count = HOST_CPU_LOAD_INFO_COUNT;
    if (host_statistics(mach_host_self(), HOST_CPU_LOAD_INFO, (host_info_t) &info, &count) != KERN_SUCCESS) {
        return;
    }
    const auto & ticks = info.cpu_ticks;
    const auto   busy  = (int64_t) ticks[CPU_STATE_USER] + ticks[CPU_STATE_SYSTEM] + ticks[CPU_STATE_NICE];
    load.busy_ms       = busy * 1000 / sysconf(_SC_CLK_TCK);
    load.n_cpus        = (int32_t) sysconf(_SC_NPROCESSORS_ONLN);
}
#    else
#        include <cstdio>

static void read_processors(machine_load & load) {
    FILE * file = std::fopen("/proc/stat", "r");
    if (!file) {
        return;
    }
    long long  user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft_irq = 0, stolen = 0;
    const int  n  = std::fscanf(file, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle,
                                &waiting, &irq, &soft_irq, &stolen);
    const long hz = sysconf(_SC_CLK_TCK);
    std::fclose(file);
    if (n >= 4 && hz > 0) {
        // What a hypervisor gave to others is as little ours as what other processes took.
        load.busy_ms = (user + nice + system + irq + soft_irq + stolen) * 1000 / hz;
        load.n_cpus  = (int32_t) sysconf(_SC_NPROCESSORS_ONLN);
    }
}
#    endif

static int64_t to_ms(const timeval & t) {
    return (int64_t) t.tv_sec * 1000 + t.tv_usec / 1000;
}

machine_load read_machine_load() {
    machine_load load;
    read_processors(load);
    rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        load.own_ms = to_ms(usage.ru_utime) + to_ms(usage.ru_stime);
    }
    return load;
}
#endif
