import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../errors.js';

const PHOTO = /\.(jpe?g|png|webp|avif|tiff?|gif)$/i;

/**
 * The photos a command line means: files as they are, folders as the photos in them (with `recursive`, below them), in
 * the order given, folders sorted by name, none twice.
 */
export async function expandInputs(given: readonly string[], recursive: boolean): Promise<string[]> {
  const lists = await Promise.all(given.map((item) => expand(item, recursive)));
  return [...new Map(lists.flat().map((file) => [path.resolve(file), file])).values()];
}

async function expand(item: string, recursive: boolean): Promise<string[]> {
  // A file that is missing or unreadable is that photo's error, told in its turn, and no reason to leave the others.
  const isFolder = await stat(item).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [item];
  const entries = await readdir(item, { recursive, withFileTypes: true }).catch((error: unknown) => {
    throw new FramewrightError('INPUT_UNREADABLE', `cannot read the folder ${item}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  const photos = entries
    .filter((entry) => entry.isFile() && PHOTO.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
  if (photos.length > 0) return photos;
  const where = recursive ? 'in or below' : 'in';
  throw new FramewrightError(
    'INPUT_NOT_FOUND',
    `no photo ${where} the folder ${item}${recursive ? '' : '; --recursive looks below it'}`,
  );
}
