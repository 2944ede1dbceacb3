import { lstat, realpath, stat, type PathLike, type Stats } from 'node:fs';
import path from 'node:path';
import { glob } from 'tinyglobby';

/** Shells of these systems leave patterns to the program and take no notice of case in names. */
const IGNORES_CASE = process.platform === 'win32' || process.platform === 'darwin';

/** Whether a name holds what a shell would expand: `*`, `?`, `[...]`, `{a,b}` or `{1..9}`. */
export function isGlob(text: string): boolean {
  return /[*?]|\[[^\]]+\]|\{[^{}]*(,|\.\.)[^{}]*\}/.test(text);
}

/**
 * The files a pattern means, sorted: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `{a,b}` and `{1..9}`, and `**` for
 * any number of folders. As in a shell, names that begin with a dot are only meant by a pattern that does so too, and a
 * pattern with `**` follows no links to folders. What cannot be read matches nothing; links that lead to a folder or
 * nowhere may be among what is found.
 */
export async function expandGlob(pattern: string): Promise<string[]> {
  const slashed = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  const found = await glob(withoutOtherSyntax(slashed), {
    absolute: path.isAbsolute(slashed),
    caseSensitiveMatch: !IGNORES_CASE,
    debug: false, // else a variable of the environment has it write to stdout
    expandDirectories: false,
    extglob: false,
    fs: linksAsFiles(slashed.includes('**')),
  });
  return found.map((name) => path.normalize(name)).sort((a, b) => (a < b ? -1 : 1));
}

/** picomatch knows more than a shell does, and takes `photo (1)` for a group. */
function withoutOtherSyntax(pattern: string): string {
  return pattern.replace(/\[[^\]]+\]|[()|^$+@"\\!]/g, (token) => (token.length > 1 ? token : `\\${token}`));
}

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

/**
 * How links look to the search, which would leave out those that lead nowhere, and through `**` find a folder's photos
 * once more by each link to it.
 * @param areAll also those to folders are files
 */
function linksAsFiles(areAll: boolean): object {
  return {
    realpath: (name: PathLike, done: Callback<string>) => {
      if (areAll) done(null, String(name));
      else realpath(name, (error, target) => done(null, error ? String(name) : target));
    },
    stat: (name: PathLike, done: Callback<Stats>) => {
      if (areAll) lstat(name, done);
      else stat(name, (error, found) => (error ? lstat(name, done) : done(null, found)));
    },
  };
}
