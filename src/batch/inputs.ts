import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { counted } from '../base/counted.js';
import { FramewrightError, messageOf } from '../base/errors.js';
import { isRawExtension, mayHavePreview } from '../photo/camera-raw.js';
import { HEIC_PACKAGE, isHeicName, readsHeic } from '../photo/heic/libheif.js';
import { expandGlob, isGlob } from './glob.js';

/** What the photo whose bytes come on stdin is called, on the command line. */
export const STDIN = '-';

const PHOTO = /\.(jpe?g|png|webp|avif|tiff?|gif)$/i;

/** Whether what is called so is a photo that can be read here, raw files aside. */
export function isReadablePhoto(name: string): boolean {
  return PHOTO.test(name) || (isHeicName(name) && readsHeic());
}

/** Whether a file called so is a photo to be looked for. */
function isReadName(name: string, search: Search): boolean {
  return PHOTO.test(name) || (isHeicName(name) && search.readsHeic) || (mayHavePreview(name) && search.takesRaw);
}

export interface FoundPhotos {
  /** None twice. */
  readonly photos: readonly string[];
  /** Absolute paths of those the command line names itself; the others were found in folders and by patterns. */
  readonly named: ReadonlySet<string>;
  /** What a user may wonder about: folders that cannot be read, RAW (and HEIC, where nothing reads it) left out. */
  readonly notes: readonly string[];
}

/**
 * The photos a command line means, in the order given: files and `-` as they are, folders as the photos in them (with
 * `recursive`, below them; hidden ones left out) sorted by name, patterns the shell has left alone as what they match.
 *
 * @param onFound told after each folder how many photos there are in those looked through by now
 * @param takesRaw whether cameras' raw files in which a preview may be found are photos too
 * @throws FramewrightError INPUT_NOT_FOUND where a folder or pattern means no photo, INPUT_UNREADABLE for a folder.
 */
export async function expandInputs(
  given: readonly string[],
  recursive: boolean,
  onFound?: (nFound: number) => void,
  takesRaw = false,
): Promise<FoundPhotos> {
  let nFound = 0;
  const search: Search = {
    recursive,
    readsHeic: readsHeic(),
    takesRaw,
    notes: [],
    found: (n) => onFound?.((nFound += n)),
  };
  const { notes } = search;
  const lists = await Promise.all(given.map((item) => expand(item, search)));
  const photos = lists.flat();
  const items = new Set(given.map((item) => path.resolve(item)));
  const byPath = new Map(photos.map((file) => [path.resolve(file), file]));
  return { photos: [...byPath.values()], named: new Set([...byPath.keys()].filter((file) => items.has(file))), notes };
}

/** What one search shares between its folders. */
interface Search {
  readonly recursive: boolean;
  readonly readsHeic: boolean;
  readonly takesRaw: boolean;
  readonly notes: string[];
  /** Call with the number of photos of each folder. */
  readonly found: (nPhotos: number) => void;
}

async function expand(item: string, search: Search): Promise<string[]> {
  if (item === STDIN) return [item];
  const found = await stat(item).catch(() => undefined);
  if (found?.isDirectory()) return photosIn(item, search);
  // A file that is missing or unreadable is that photo's error, told in its turn, and no reason to leave the others.
  if (found || !isGlob(item)) return [item];
  const matched = await expandGlob(item);
  const namesKind = /\.[^./\\*?]+$/.test(item);
  const lists = await Promise.all(
    matched.map(async (name) => {
      if ((await stat(name).catch(() => undefined))?.isDirectory()) return [];
      return namesKind || isReadName(name, search) ? [name] : [];
    }),
  );
  const photos = lists.flat();
  if (photos.length > 0) return photos;
  throw new FramewrightError('INPUT_NOT_FOUND', `no photo matches ${item}; check the pattern`);
}

async function photosIn(folder: string, search: Search): Promise<string[]> {
  const { recursive, notes } = search;
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new FramewrightError('INPUT_UNREADABLE', `cannot read the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  const unread: string[] = [];
  const photos = (await photosAmong(folder, entries, search, unread)).sort((a, b) => (a < b ? -1 : 1));
  const where = recursive ? 'in or below' : 'in';
  if (unread.length > 0) {
    const remedy = unread.some(isHeicName) ? `; npm install ${HEIC_PACKAGE} reads HEIC` : '';
    const [them, are] = unread.length === 1 ? ['it', 'is'] : ['them', 'are'];
    const photos = counted(unread.length, `${unread.some(isHeicName) ? 'HEIC or RAW' : 'RAW'} photo`);
    notes.push(
      `${photos} ${where} ${folder} ${are} left out (${unread[0]!}): convert ${them} to JPEG or TIFF${remedy}`,
    );
  }
  if (photos.length > 0) return photos;
  throw new FramewrightError(
    'INPUT_NOT_FOUND',
    `no photo ${where} the folder ${folder}${recursive ? '' : '; --recursive looks below it'}`,
  );
}

async function photosAmong(
  folder: string,
  entries: readonly Dirent[],
  search: Search,
  unread: string[],
): Promise<string[]> {
  const photos: string[] = [];
  const below: Promise<string[]>[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (search.recursive) below.push(photosBelow(name, search, unread));
    } else if (isReadName(entry.name, search)) {
      // A link to a folder may be called like a photo; one that leads nowhere is an error when its turn comes.
      const isPhoto = entry.isFile() || (entry.isSymbolicLink() && !(await isFolder(name)));
      if (isPhoto) photos.push(name);
    } else if (isHeicName(entry.name) || isRawExtension(entry.name)) unread.push(name);
  }
  search.found(photos.length);
  for (const list of await Promise.all(below)) for (const photo of list) photos.push(photo);
  return photos;
}

/** A folder that cannot be read costs its own photos, not those of its neighbours. */
async function photosBelow(folder: string, search: Search, unread: string[]): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    search.notes.push(`cannot read the folder ${folder}, its photos are left out: ${messageOf(error)}`);
    return [];
  }
  return photosAmong(folder, entries, search, unread);
}

function isFolder(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
