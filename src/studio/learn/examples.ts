import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { packageFile } from '../../files/package-root.js';
import { HttpProblem } from '../../server/problem.js';
import type { Studio } from '../context.js';
import type { LibraryPhoto } from '../library/library.js';
import { photoOf } from '../routes/requests.js';

const PREFIX = 'example-';

/** The photos that come with the package, for who has none at hand; by name. */
export async function examplePhotos(): Promise<LibraryPhoto[]> {
  const folder = packageFile('examples', 'photos');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.jpg')).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const { size, mtimeMs } = await stat(file);
      return { id: PREFIX + path.parse(name).name, path: file, name, nBytes: size, modifiedMs: mtimeMs };
    }),
  );
}

/**
 * A photo of the library, or one of the examples.
 *
 * @throws HttpProblem NOT_FOUND
 */
export async function photoOrExample(studio: Studio, id: string): Promise<LibraryPhoto> {
  if (!id.startsWith(PREFIX)) return photoOf(studio, id);
  const found = (await examplePhotos()).find((photo) => photo.id === id);
  if (found) return found;
  throw new HttpProblem('NOT_FOUND', 'there is no such example');
}
