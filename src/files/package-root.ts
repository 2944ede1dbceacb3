import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder that holds package.json, prompts/ and gguf/nano/, from the sources as from dist/. */
const root = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'prompts', 'profiles.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`no package root above ${from}`);
  }
}

/** Absolute path of a file that ships with the package. */
export function packageFile(...parts: readonly string[]): string {
  return path.join(root, ...parts);
}
