import { spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';

/** Copies a file in one step: a process that runs the old one keeps it. */
export function placeFile(from, to) {
  const fresh = `${to}.${process.pid}.tmp`;
  copyFileSync(from, fresh);
  renameSync(fresh, to);
}

/** Gives a file a second name, or a copy where the file system cannot (another device, a read-only store). */
export function linkFile(from, to) {
  const fresh = `${to}.${process.pid}.tmp`;
  rmSync(fresh, { force: true });
  try {
    linkSync(from, fresh);
  } catch {
    copyFileSync(from, fresh);
  }
  // POSIX rename leaves both names where they are the same file already.
  renameSync(fresh, to);
  rmSync(fresh, { force: true });
}

/** Loads an addon in a process of its own; the reason in one line if that fails, else undefined. */
export function reasonNotToLoad(addonPath) {
  const script = 'process.dlopen({ exports: {} }, process.argv[1])';
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script, addonPath], { encoding: 'utf8' });
  if (status === 0) return undefined;
  const [, message] = /^Error: (.*)$/m.exec(stderr) ?? [];
  return message ?? `node ended with ${signal ?? status}: ${stderr.trim().split('\n').at(-1)}`;
}
