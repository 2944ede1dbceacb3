import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import type { RuntimeInfo } from '../../runtime/types.js';
import type { MemoryLimits } from './fit.js';

/** Memory free at this moment: of the backend's GPUs together, and of what this process may use of the machine's. */
export function freeMemory(info: RuntimeInfo): MemoryLimits {
  const gpus = info.devices.filter(({ kind }) => kind === 'gpu' || kind === 'igpu');
  return {
    gpuBytes: gpus.length === 0 ? undefined : gpus.reduce((sum, { memoryFreeBytes }) => sum + memoryFreeBytes, 0),
    hostBytes: availableHostBytes(),
  };
}

/**
 * Host memory that can be had without anyone being killed for it: Linux's MemAvailable, or what the container's limit
 * leaves, whichever is less. Cached files do not count as used: the system drops them when asked for memory, which is
 * why process.availableMemory(), for which they do, will not do.
 */
export function availableHostBytes(root = ''): number {
  const available = numberIn(read(`${root}/proc/meminfo`), /^MemAvailable:\s+(\d+) kB/m);
  const machine = available === undefined ? freemem() : available * 1024;
  return Math.max(0, Math.min(machine, containerBytes(root) ?? machine));
}

function containerBytes(root: string): number | undefined {
  const v2 = `${root}/sys/fs/cgroup`;
  const v1 = `${v2}/memory`;
  return (
    leftBytes(`${v2}/memory.max`, `${v2}/memory.current`, `${v2}/memory.stat`, /^(?:in)?active_file (\d+)/gm) ??
    leftBytes(
      `${v1}/memory.limit_in_bytes`,
      `${v1}/memory.usage_in_bytes`,
      `${v1}/memory.stat`,
      /^total_(?:in)?active_file (\d+)/gm,
    )
  );
}

function leftBytes(limitFile: string, usedFile: string, statFile: string, cached: RegExp): number | undefined {
  const limit = numberIn(read(limitFile), /^(\d+)/);
  const used = numberIn(read(usedFile), /^(\d+)/);
  if (limit === undefined || used === undefined) return undefined;
  const nCached = [...read(statFile).matchAll(cached)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return limit - used + nCached;
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
