import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { inSlices } from './in-slices.js';

/**
 * For each file a word that two paths share only if writing to one would replace the other: links on the way are
 * followed, and upper and lower case are one where the disk says so. Hard links stay apart, since a file that is replaced
 * leaves the others as they are. Also for files that are not there yet.
 */
export async function fileIdentities(files: readonly string[]): Promise<string[]> {
  const folders = new Map<string, string>();
  const identities: string[] = [];
  await inSlices(files, (file) => identities.push(identityOf(path.resolve(file), folders)));
  return identities;
}

function identityOf(file: string, folders: Map<string, string>): string {
  const found = statOf(file);
  // Some network disks number no files.
  if (found?.nlink === 1n && found.ino !== 0n) return `${found.dev}:${found.ino}`;
  const real = found && realOf(file);
  return real ?? path.join(realFolder(path.dirname(file), folders), path.basename(file));
}

function statOf(file: string): { readonly nlink: bigint; readonly ino: bigint; readonly dev: bigint } | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function realOf(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    return undefined;
  }
}

/** Where a file is, or would be, with links followed as far as there is something. */
export function realLocation(file: string): string {
  return realFolder(path.resolve(file), new Map());
}

/** The same of a folder; many files lie in few folders. */
function realFolder(folder: string, known: Map<string, string>): string {
  let real = known.get(folder);
  if (real === undefined) {
    const parent = path.dirname(folder);
    real = realOf(folder) ?? (parent === folder ? folder : path.join(realFolder(parent, known), path.basename(folder)));
    known.set(folder, real);
  }
  return real;
}
