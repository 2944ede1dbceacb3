import { stat } from 'node:fs/promises';
import path from 'node:path';
import { STDIN } from '../inputs.js';

/** Where a run writes to, as a relative path where it was given as one. */
export async function outputFolder(photos: readonly string[], output: string | undefined): Promise<string> {
  if (output === undefined) {
    return commonFolder(photos.filter((photo) => photo !== STDIN).map((photo) => path.dirname(photo)));
  }
  const isFile = photos.length === 1 && path.extname(output) !== '' && !(await isFolder(output));
  return isFile ? path.dirname(output) : output;
}

/** The deepest folder all of them lie in, absolute, with a separator at its end. */
export function commonFolder(folders: readonly string[]): string {
  const [first = [], ...rest] = [...new Set(folders)].map((folder) => path.resolve(folder).split(path.sep));
  let nShared = first.length;
  for (const parts of rest) {
    const differs = parts.findIndex((part, i) => part !== first[i]);
    nShared = Math.min(nShared, differs < 0 ? parts.length : differs);
  }
  return first.slice(0, nShared).join(path.sep) + path.sep;
}

/** A name that ends in a separator means a folder even where there is none yet. */
export async function isFolder(name: string): Promise<boolean> {
  if (/[/\\]$/.test(name)) return true;
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
