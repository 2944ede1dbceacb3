import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder that holds package.json, prompts/ and gguf/nano/, from the sources as from dist/. */
export const packageRoot = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'prompts', 'profiles.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`no package root above ${from}`);
  }
}

/** Absolute path of a file that ships with the package. */
export function packageFile(...parts: readonly string[]): string {
  return path.join(packageRoot, ...parts);
}

/** Whether this package was installed for another one, rather than being a checkout someone works in. */
export const isDependency = packageRoot.split(path.sep).includes('node_modules');

/** Flag of npm for what was installed for all projects: only where npm has no project above is that so. */
export const globalFlag = isDependency && !existsSync(path.join(projectAbove(), 'package.json')) ? ' --global' : '';

function projectAbove(): string {
  const parts = packageRoot.split(path.sep);
  return parts.slice(0, parts.indexOf('node_modules')).join(path.sep);
}
