import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * For each file a word that two paths share only if writing to one would replace the other: links on the way are
 * followed, and upper and lower case are one where the disk says so. Hard links stay apart, since a file that is replaced
 * leaves the others as they are. Also for files that are not there yet.
 */
export function fileIdentities(files: readonly string[]): Promise<string[]> {
  const folders = new Map<string, Promise<string>>();
  return Promise.all(files.map((file) => identityOf(path.resolve(file), folders)));
}

async function identityOf(file: string, folders: Map<string, Promise<string>>): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  // Some network disks number no files.
  if (found?.nlink === 1n && found.ino !== 0n) return `${found.dev}:${found.ino}`;
  return found ? realpath(file) : path.join(await realFolder(path.dirname(file), folders), path.basename(file));
}

/** Where a file is, or would be, with links followed as far as there is something. */
export function realLocation(file: string): Promise<string> {
  return realFolder(path.resolve(file), new Map());
}

/** The same of a folder; many files lie in few folders. */
function realFolder(folder: string, known: Map<string, Promise<string>>): Promise<string> {
  const parent = path.dirname(folder);
  let real = known.get(folder);
  if (!real) {
    real = realpath(folder).catch(async () =>
      parent === folder ? folder : path.join(await realFolder(parent, known), path.basename(folder)),
    );
    known.set(folder, real);
  }
  return real;
}
