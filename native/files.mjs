import { copyFileSync, linkSync, rmSync } from 'node:fs';

/** Gives a file a second name; copies it where the file system cannot (another device, a locked store). */
export function linkFile(from, to) {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
