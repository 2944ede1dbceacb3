import path from 'node:path';

/**
 * Whether a relative name stays in the folder it is taken from, on any system. By the name alone: where a link leads is the
 * business of whoever made it, and models are kept as links into a store.
 */
export function isInside(name: string): boolean {
  if (path.isAbsolute(name) || path.win32.isAbsolute(name)) return false;
  return !path.normalize(name).split(/[\\/]/).includes('..');
}
