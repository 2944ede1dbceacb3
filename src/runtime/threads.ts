import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Physical cores this process may use: hyper-threads of one core count once, and CPU affinity and the cgroup's quota
 * (containers) are respected. Elsewhere than on Linux it is what Node says. At least 1.
 */
export function usableCores(root = ''): number {
  const cores = allowedCores(root) ?? availableParallelism();
  return Math.max(1, Math.min(cores, Math.ceil(cgroupQuota(root) ?? cores)));
}

function allowedCores(root: string): number | undefined {
  const status = read(`${root}/proc/self/status`);
  const list = status && /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  if (!list) return undefined;
  const cores = new Set<string>();
  for (const cpu of parseCpuList(list)) {
    const siblings = read(`${root}/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    cores.add(siblings?.trim() ?? String(cpu));
  }
  return cores.size;
}

/** `0-3,8` */
function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** CPUs' worth of time a period, of cgroup v2 or v1; undefined without a limit. */
function cgroupQuota(root: string): number | undefined {
  const v2 = read(`${root}/sys/fs/cgroup/cpu.max`)?.trim().split(' ');
  const quota = Number(v2 ? v2[0] : read(`${root}/sys/fs/cgroup/cpu/cpu.cfs_quota_us`));
  const period = Number(v2 ? v2[1] : read(`${root}/sys/fs/cgroup/cpu/cpu.cfs_period_us`));
  return quota > 0 && period > 0 ? quota / period : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
