import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this user may put a disk of its own on a folder: on Linux root may, in most containers even root may not. */
export const canMount = tryMount();

/** Puts an empty disk of a given size (`64k`) on a folder, or gives the one that is there another size. */
export function mountSmallDisk(folder: string, size: string, { again = false } = {}): void {
  const options = again
    ? ['-o', `remount,size=${size}`, folder]
    : ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder];
  const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${options.join(' ')}: ${stderr}`);
}

export function unmount(folder: string): void {
  spawnSync('umount', [folder]);
}

function tryMount(): boolean {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'framewright-mount-'));
  try {
    mountSmallDisk(folder, '64k');
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
