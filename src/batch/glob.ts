import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Shells of these systems leave patterns to the program and take no notice of case in names. */
const IGNORES_CASE = process.platform === 'win32' || process.platform === 'darwin';

/** Whether a name holds what a shell would expand: `*`, `?`, `[...]` or `{a,b}`. */
export function isGlob(text: string): boolean {
  return /[*?]|\[[^\]]+\]|\{[^{}]*,[^{}]*\}/.test(text);
}

/**
 * The files and folders a pattern means, sorted: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `{a,b}`, and `**` for
 * any number of folders. As in a shell, names that begin with a dot are only meant by a pattern that does so too, and
 * `**` follows no links. What cannot be read matches nothing.
 */
export async function expandGlob(pattern: string): Promise<string[]> {
  const slashed = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  const found = await Promise.all(alternatives(slashed).map(matches));
  return [...new Set(found.flat())].sort((a, b) => (a < b ? -1 : 1));
}

/** `a{b,c{d,e}}` as `ab`, `acd`, `ace`. */
function alternatives(pattern: string): string[] {
  const innermost = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (!innermost) return [pattern];
  const before = pattern.slice(0, innermost.index);
  const after = pattern.slice(innermost.index + innermost[0].length);
  return innermost[1]!.split(',').flatMap((choice) => alternatives(before + choice + after));
}

async function matches(pattern: string): Promise<string[]> {
  const root = /^(?:[a-z]:)?\/+/i.exec(pattern)?.[0] ?? '';
  return walk(
    root,
    pattern
      .slice(root.length)
      .split('/')
      .filter((segment) => segment !== ''),
  );
}

async function walk(folder: string, segments: readonly string[]): Promise<string[]> {
  const [segment, ...rest] = segments;
  if (segment === undefined) return [folder];
  if (segment === '**') {
    const here = rest.length > 0 ? walk(folder, rest) : Promise.resolve([]);
    const below = (await entriesOf(folder)).filter((entry) => !entry.name.startsWith('.'));
    const deeper = below.map(async (entry) => {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) return walk(name, segments);
      return rest.length === 0 ? [name] : [];
    });
    return [...new Set((await Promise.all([here, ...deeper])).flat())];
  }
  if (!isGlob(segment)) {
    const name = path.join(folder, segment);
    const isThere = await lstat(name).then(
      () => true,
      () => false,
    );
    return isThere ? walk(name, rest) : [];
  }
  const expression = segmentExpression(segment);
  const named = (await entriesOf(folder)).filter(
    ({ name }) => expression.test(name) && (segment.startsWith('.') || !name.startsWith('.')),
  );
  return (await Promise.all(named.map(({ name }) => walk(path.join(folder, name), rest)))).flat();
}

function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder === '' ? '.' : folder, { withFileTypes: true }).catch(() => []);
}

function segmentExpression(segment: string): RegExp {
  const source = segment.replace(/\[([!^]?)([^\]]+)\]|[*?]|[\\^$.|+()[\]{}]/g, (token, not?: string, set?: string) => {
    if (set !== undefined) return `[${not ? '^' : ''}${set.replaceAll(/[\\[\]^]/g, '\\$&')}]`;
    if (token === '*') return '.*';
    return token === '?' ? '.' : `\\${token}`;
  });
  try {
    return new RegExp(`^${source}$`, IGNORES_CASE ? 'isu' : 'su');
  } catch {
    return /^(?!)/; // a set such as [z-a] matches nothing
  }
}
