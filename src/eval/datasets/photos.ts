import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import sharp from 'sharp';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import type { MissingPhoto } from './types.js';

const PHOTO_EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.avif', '.gif', '.bmp']);
/** `<folder>/images/<split>/photo.jpg` is the deepest published layout. */
const MAX_DEPTH = 3;

/** The photos under a data set's folder, found by file name or by file name without extension. */
export interface PhotoIndex {
  /** The first name that is there; where several folders have it, the one whose folder is called `preferFolder`. */
  find(names: readonly string[], preferFolder?: string): string | undefined;
  readonly paths: readonly string[];
}

/** @param except name of a folder whose pictures are no photos of the data set */
export async function indexPhotos(folder: string, { except }: { readonly except?: string } = {}): Promise<PhotoIndex> {
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new FramewrightError('DATASET_INVALID', `${folder} is no folder; give the data set's folder`);
  const paths = (await photosUnder(folder, MAX_DEPTH, except)).sort();
  const byName = new Map<string, string[]>();
  for (const path of paths) {
    const name = basename(path).toLowerCase();
    for (const key of [name, stem(name)]) byName.set(key, [...(byName.get(key) ?? []), path]);
  }
  const find = (names: readonly string[], preferFolder?: string): string | undefined => {
    for (const name of names) {
      const lower = basename(name).toLowerCase();
      const found = byName.get(lower) ?? byName.get(stem(lower));
      if (found) return found.find((path) => basename(dirname(path)) === preferFolder) ?? found[0];
    }
    return undefined;
  };
  return { find, paths };
}

export async function photosUnder(folder: string, depth = MAX_DEPTH, except?: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return depth > 0 && entry.name !== except ? photosUnder(path, depth - 1) : [];
      return PHOTO_EXTENSIONS.has(extname(entry.name).toLowerCase()) ? [path] : [];
    }),
  );
  return nested.flat();
}

/** The file's name without folders and extension. */
export function stemOf(path: string): string {
  return stem(basename(path));
}

function stem(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

/** Size after the EXIF orientation is applied, from the file's header alone. */
export async function photoSize(path: string): Promise<Size> {
  const { autoOrient } = await sharp(path).metadata();
  return { width: autoOrient.width, height: autoOrient.height };
}

export interface FoundPhoto {
  readonly path: string | undefined;
  readonly size: Size | undefined;
}

/** Looks a photo up and reads its size; what cannot be shown goes to `missing` and comes back without a path. */
export async function locatePhoto(
  index: PhotoIndex,
  id: string,
  missing: MissingPhoto[],
  { names = [id], split }: { names?: readonly string[]; split?: string | undefined } = {},
): Promise<FoundPhoto> {
  const path = index.find(names, split);
  if (path === undefined) {
    missing.push({ id, reason: 'not in the folder' });
    return { path, size: undefined };
  }
  try {
    return { path, size: await photoSize(path) };
  } catch (error) {
    missing.push({ id, reason: `${path} cannot be read: ${messageOf(error)}` });
    return { path: undefined, size: undefined };
  }
}
