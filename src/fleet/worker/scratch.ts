import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How the folders begin that the process of this number has copies of objects in. */
export function scratchOf(pid: number): string {
  return `framewright-job-${pid}-`;
}

/** Removes what a process has left that was killed. */
export async function removeScratchOf(pid: number): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(scratchOf(pid))) continue;
    await rm(path.join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
