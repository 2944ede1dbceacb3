import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * A word that two paths share only if writing to one would replace the other: links on the way are followed, and
 * upper and lower case are one where the disk says so. Hard links stay apart, since a file that is replaced leaves the
 * others as they are. Also for files that are not there yet.
 */
export async function fileIdentity(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  // Some network disks number no files.
  if (found?.nlink === 1n && found.ino !== 0n) return `${found.dev}:${found.ino}`;
  return realPathOf(path.resolve(file));
}

/** With links followed as far as there is something. */
async function realPathOf(file: string): Promise<string> {
  const parent = path.dirname(file);
  return realpath(file).catch(async () =>
    parent === file ? file : path.join(await realPathOf(parent), path.basename(file)),
  );
}
