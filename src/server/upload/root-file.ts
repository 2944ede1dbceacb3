import { constants, open, realpath, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { isInside } from '../../files/inside.js';
import { tooLarge } from './read-body.js';

/** A folder whose photos clients may name. */
export interface Root {
  /** Absolute, without links. */
  readonly folder: string;
}

/** @throws FramewrightError USAGE where it is no folder */
export async function openRoot(folder: string): Promise<Root> {
  const real = await realpath(folder).catch(() => undefined);
  if (real !== undefined && (await stat(real)).isDirectory()) return { folder: real };
  throw new FramewrightError('USAGE', `${folder} is no folder: name the one whose photos may be asked for (--root)`);
}

/**
 * The bytes of a file below the root. A link that leads out of the root is none of its files, and nothing but a regular file
 * is read.
 *
 * @param name relative to the root, with slashes
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_TOO_LARGE; none says what is outside
 */
export async function readRootFile({ folder }: Root, name: string, maxBytes: number): Promise<Buffer> {
  const wanted = name === '' || name.includes('\0') || !isInside(name) ? undefined : path.join(folder, name);
  const real = wanted === undefined ? undefined : await realpath(wanted).catch(() => undefined);
  if (real === undefined || !isBelow(folder, real)) throw notFound(name);
  let handle: FileHandle | undefined;
  try {
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
    if (!handle) throw unreadable(name);
    const opened = await handle.stat();
    // A folder on the way may have become a link since it was looked at.
    const again = await stat(await realpath(wanted!).then((now) => (now === real ? now : ''))).catch(() => undefined);
    if (again?.ino !== opened.ino || again.dev !== opened.dev) throw notFound(name);
    if (!opened.isFile()) throw unreadable(name);
    if (opened.size > maxBytes) throw tooLarge(maxBytes);
    const bytes = Buffer.alloc(opened.size);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle?.close();
  }
}

function isBelow(folder: string, file: string): boolean {
  return file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}

function notFound(name: string): FramewrightError {
  return new FramewrightError(
    'INPUT_NOT_FOUND',
    `there is no file ${JSON.stringify(name.slice(0, 200))} below the root`,
  );
}

function unreadable(name: string): FramewrightError {
  return new FramewrightError('INPUT_UNREADABLE', `${JSON.stringify(name.slice(0, 200))} is no file that can be read`);
}
