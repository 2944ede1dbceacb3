import { createHash } from 'node:crypto';
import { constants, open, realpath, rename, unlink, type FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { FramewrightError } from '../base/errors.js';
import { READ_WITHOUT_WAITING } from './read-regular.js';
import { synced, temporaryFor, writeFailure } from './write.js';

export interface ReplaceOptions {
  /** Keep the modification time of the file that is replaced. Default: now. */
  readonly keepTime?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A file as it is once it was replaced. */
export interface ReplacedFile {
  readonly size: number;
  readonly mtimeMs: number;
  /** Hex. */
  readonly sha256: string;
}

/**
 * Puts other bytes in the place of somebody's file, all of them or none: a file beside it, synced to the disk, takes its
 * name, with its mode and, where the system allows, its owner. A link keeps pointing at its file. What a system keeps
 * beside the bytes (the time of creation, extended attributes) is a new file's.
 *
 * @param before what it held when it was read
 * @throws FramewrightError OUTPUT_WRITE where it is write-protected, or is not what was read any more
 */
export async function replaceFile(
  path: string,
  before: Uint8Array,
  bytes: Uint8Array,
  { keepTime = false, signal }: ReplaceOptions = {},
): Promise<ReplacedFile> {
  signal?.throwIfAborted();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  let temporary: string | undefined;
  try {
    const target = await realpath(path);
    const stat = await checkedStat(path, target, before);
    // Of a run that was killed here: the same bytes have the same name.
    temporary = temporaryFor(target, sha256.slice(0, 32));
    await unlink(temporary).catch(() => undefined);
    const handle = await open(temporary, 'wx', stat.mode & 0o777);
    let written: Stats;
    try {
      await handle.writeFile(bytes, signal ? { signal } : {});
      await handle.chmod(stat.mode & 0o777).catch(() => undefined);
      await handle.chown(stat.uid, stat.gid).catch(() => undefined);
      if (keepTime) await handle.utimes(stat.atime, stat.mtime);
      await synced(handle);
      written = await handle.stat();
    } finally {
      await handle.close();
    }
    // Once more, as late as can be: writing takes its time.
    await checkedStat(path, target, before);
    signal?.throwIfAborted();
    await rename(temporary, target);
    return { size: written.size, mtimeMs: written.mtimeMs, sha256 };
  } catch (thrown) {
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
    signal?.throwIfAborted();
    throw writeFailure(path, thrown);
  }
}

async function checkedStat(path: string, target: string, before: Uint8Array): Promise<Stats> {
  const handle = await open(target, READ_WITHOUT_WAITING);
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size !== before.length || !(await holds(handle, before))) {
      throw new FramewrightError('OUTPUT_WRITE', `${path} has changed since it was read: crop it again`);
    }
    // Renaming needs no right to the file itself, and whoever is root is asked for none.
    if ((stat.mode & 0o222) === 0) throw readOnly(path);
    await (await open(target, constants.O_WRONLY)).close();
    return stat;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    throw code === 'EACCES' || code === 'EPERM' ? readOnly(path, thrown) : thrown;
  } finally {
    await handle.close();
  }
}

async function holds(handle: FileHandle, before: Uint8Array): Promise<boolean> {
  const piece = Buffer.alloc(Math.min(1 << 20, before.length));
  for (let at = 0; at < before.length;) {
    const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, before.length - at), at);
    if (bytesRead === 0 || piece.compare(before, at, at + bytesRead, 0, bytesRead) !== 0) return false;
    at += bytesRead;
  }
  return true;
}

function readOnly(path: string, cause?: unknown): FramewrightError {
  return new FramewrightError(
    'OUTPUT_WRITE',
    `${path} is write-protected: make it writable, or leave its crop beside it`,
    {
      cause,
    },
  );
}
