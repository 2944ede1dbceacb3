import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { usableCores } from '../../src/runtime/threads.js';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true });
});

/** A machine's /proc and /sys, as far as they matter. */
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'framewright-machine-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** Eight logical CPUs on four cores: 0 and 4 share one, 1 and 5, ... */
const hyperThreads = Object.fromEntries(
  Array.from({ length: 8 }, (_, cpu) => [
    `sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
    `${cpu % 4},${(cpu % 4) + 4}\n`,
  ]),
);
const allowed = (list: string): Readonly<Record<string, string>> => ({
  'proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`,
});

test('hyper-threads of one core count once', async () => {
  expect(usableCores(await machine({ ...hyperThreads, ...allowed('0-7') }))).toBe(4);
});

test('only the CPUs the process may run on count', async () => {
  expect(usableCores(await machine({ ...hyperThreads, ...allowed('0-1,4,5') }))).toBe(2);
  expect(usableCores(await machine({ ...hyperThreads, ...allowed('6') }))).toBe(1);
});

test('a container’s quota limits them, in either version of cgroups', async () => {
  const base = { ...hyperThreads, ...allowed('0-7') };
  expect(usableCores(await machine({ ...base, 'sys/fs/cgroup/cpu.max': '150000 100000\n' }))).toBe(2);
  expect(usableCores(await machine({ ...base, 'sys/fs/cgroup/cpu.max': 'max 100000\n' }))).toBe(4);
  expect(usableCores(await machine({ ...base, 'sys/fs/cgroup/cpu.max': '10000 100000\n' }))).toBe(1);
  const v1 = { 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '300000\n', 'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' };
  expect(usableCores(await machine({ ...base, ...v1 }))).toBe(3);
  const unlimited = { 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', 'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' };
  expect(usableCores(await machine({ ...base, ...unlimited }))).toBe(4);
});

test('a machine that tells nothing has as many as Node says', async () => {
  expect(usableCores(await machine({}))).toBeGreaterThanOrEqual(1);
});
