import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..', '..');

/** A bundled example photo. */
export function examplePhoto(name: 'dogs' | 'pagoda' | 'dandelion' | 'mountains' | 'dust-bowl-home'): string {
  return path.join(root, 'examples', 'photos', `${name}.jpg`);
}

/** A file of the project. */
export function projectFile(...parts: readonly string[]): string {
  return path.join(root, ...parts);
}
