import { createReadStream, type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { isGlob } from '../../batch/glob.js';
import { expandInputs, STDIN } from '../../batch/inputs.js';
import { listedPath } from '../../batch/listed-path.js';
import { commonFolder } from '../../batch/plan/folders.js';

import { isBucketUrl } from '../bucket/bucket-url.js';
import { bucketSource } from './bucket-photos.js';
import type { PhotoGroup, PhotoSource, SourceOptions } from './photo-source.js';

const LIST = /\.(txt|lst|list|jsonl)$/i;
/** Photos of a list planned together at most. */
const GROUP = 1000;

/**
 * The photos that some inputs mean: files, folders (with `recursive`, below them), patterns, and lists: text files of one
 * path a line, or JSON Lines with a `path` each.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, USAGE
 */
export async function photoSource(inputs: readonly string[], options: SourceOptions): Promise<PhotoSource> {
  const parts: PhotoSource[] = [];
  for (const input of inputs) parts.push(await sourceOf(input, options));
  return {
    roots: [...new Set(parts.flatMap(({ roots }) => roots))],
    mirrored: parts.flatMap(({ mirrored }) => mirrored),
    async *groups(onNote) {
      for (const part of parts) yield* part.groups(onNote);
    },
  };
}

async function sourceOf(input: string, options: SourceOptions): Promise<PhotoSource> {
  if (isBucketUrl(input)) return bucketSource(input, options);
  if (input === STDIN) throw usage('what comes on stdin is one photo, and no machine but this one has it; name files');
  const found = await stat(input).catch(() => undefined);
  if (found?.isDirectory()) return folderSource(input, options);
  if (found && LIST.test(input)) return listSource(input, options);
  if (!found && isGlob(input)) return globSource(input, options);
  if (!found) throw new FramewrightError('INPUT_NOT_FOUND', `there is no ${input}; check the name`);
  const file = path.resolve(input);
  return {
    roots: [path.dirname(file)],
    mirrored: [],
    groups: () => [{ photos: [file], areNamed: true }],
  };
}

function folderSource(input: string, options: SourceOptions): PhotoSource {
  const top = path.resolve(input);
  return {
    roots: [top],
    mirrored: options.recursive ? [top] : [],
    groups: (onNote) => groupsOf(top, options, onNote, true),
  };
}

/** Folder by folder, its own photos before those of the folders in it; all by name. */
async function* groupsOf(
  folder: string,
  options: SourceOptions,
  onNote: (text: string) => void,
  isTop: boolean,
): AsyncGenerator<PhotoGroup, void, undefined> {
  if (folder === options.output) return;
  let entries: Dirent[];
  try {
    entries = options.recursive ? await readdir(folder, { withFileTypes: true }) : [];
    const { photos, notes } = await expandInputs([folder], false, undefined, options.takesRaw);
    for (const text of notes) onNote(text);
    yield { photos, areNamed: false };
  } catch (error) {
    const isEmpty = error instanceof FramewrightError && error.code === 'INPUT_NOT_FOUND';
    if (!isEmpty) {
      // A folder that cannot be read costs its own photos, not those of its neighbours.
      if (isTop) throw error;
      onNote(`cannot read the folder ${folder}, its photos are left out: ${messageOf(error)}`);
      return;
    }
    if (!options.recursive) throw error;
    entries = await readdir(folder, { withFileTypes: true });
  }
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  for (const { name } of below.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    yield* groupsOf(path.join(folder, name), options, onNote, false);
  }
}

async function globSource(input: string, { output }: SourceOptions): Promise<PhotoSource> {
  const { photos } = await expandInputs([input], false);
  const files = photos.map((file) => path.resolve(file)).filter((file) => !isInside(file, output));
  const root = commonFolder(files.map((file) => path.dirname(file)));
  return {
    roots: [root],
    mirrored: input.includes('**') ? [foldersBeforeStar(input)] : [],
    groups: () => inFolders(files, false),
  };
}

/** What of a pattern names folders. */
function foldersBeforeStar(pattern: string): string {
  const parts = pattern.split(/[/\\]/);
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => isGlob(part)),
  );
  return path.resolve(fixed.join('/') || (path.isAbsolute(pattern) ? '/' : '.'));
}

/** Read twice: where the folders of its photos begin to differ has to be known before the first one is planned. */
async function listSource(list: string, { output }: SourceOptions): Promise<PhotoSource> {
  let common: string | undefined;
  let nPhotos = 0;
  for await (const file of pathsOf(list)) {
    nPhotos++;
    const folder = path.dirname(file);
    common = common === undefined ? folder : commonFolder([common, folder]);
  }
  if (common === undefined || nPhotos === 0) throw usage(`${list} names no photo; a line of it is a path`);
  return {
    roots: [path.resolve(common)],
    mirrored: [path.resolve(common)],
    async *groups() {
      let group: string[] = [];
      for await (const file of pathsOf(list)) {
        if (isInside(file, output)) continue;
        const isOther = group.length > 0 && path.dirname(group[0]!) !== path.dirname(file);
        if (isOther || group.length === GROUP) {
          yield { photos: group, areNamed: true };
          group = [];
        }
        group.push(file);
      }
      if (group.length > 0) yield { photos: group, areNamed: true };
    },
  };
}

/** Absolute. */
async function* pathsOf(list: string): AsyncGenerator<string, void, undefined> {
  const lines = createInterface({ input: createReadStream(list, 'utf8'), crlfDelay: Infinity });
  let nth = 0;
  try {
    for await (const line of lines) {
      nth++;
      const text = line.trim();
      if (text === '' || text.startsWith('#')) continue;
      yield path.resolve(listedPath(text.startsWith('{') ? recordOf(text, list, nth) : { path: text }, list));
    }
  } catch (error) {
    if (error instanceof FramewrightError) throw error;
    throw new FramewrightError('INPUT_UNREADABLE', `cannot read the list ${list}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    lines.close();
  }
}

/** As a line of hints or choices: `{"path": "a.jpg", "folder": "/where/the/run/stood"}`. */
function recordOf(text: string, list: string, nth: number): { path: string; folder?: string } {
  let record: { path?: unknown; folder?: unknown };
  try {
    record = JSON.parse(text) as typeof record;
  } catch {
    throw usage(`${list}:${nth} is no JSON; a line is a path, or {"path": "a.jpg"}`);
  }
  const { path: file, folder } = record;
  if (typeof file !== 'string' || file === '')
    throw usage(`${list}:${nth} names no photo; a line is {"path": "a.jpg"}`);
  return { path: file, ...(typeof folder === 'string' ? { folder } : {}) };
}

function* inFolders(files: readonly string[], areNamed: boolean): Generator<PhotoGroup> {
  let group: string[] = [];
  for (const file of files) {
    if (group.length > 0 && path.dirname(group[0]!) !== path.dirname(file)) {
      yield { photos: group, areNamed };
      group = [];
    }
    group.push(file);
  }
  if (group.length > 0) yield { photos: group, areNamed };
}

function isInside(file: string, folder: string | undefined): boolean {
  return folder !== undefined && !path.relative(folder, file).startsWith('..');
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
