import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, link, lstat, open, realpath, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkOptions, type OptionKinds } from '../base/options-check.js';
import { FramewrightError, messageOf } from '../base/errors.js';

export interface WriteOptions {
  /** Replace what is there. Default false: an existing file, whoever made it and whenever, is never overwritten. */
  readonly force?: boolean;
  /** Names the temporary file, so that a later run can remove what a killed one left. Default: a random name. */
  readonly token?: string;
  /** Modification time the file is to have, in ms since 1970. Default: now. */
  readonly modifiedMs?: number;
  readonly signal?: AbortSignal;
}

const WRITE_OPTIONS: OptionKinds<WriteOptions> = {
  force: 'boolean',
  token: 'text',
  modifiedMs: 'number',
  signal: 'signal',
};

/**
 * Writes a file so that at every moment its path holds either all of it or what was there before: a temporary file in
 * the same folder, synced to the disk, takes the path in one step. Nothing is left behind on failure or abort.
 *
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  checkOptions('writeFileAtomic', options, WRITE_OPTIONS);
  const { force = false, token = randomUUID(), signal } = options;
  signal?.throwIfAborted();
  const mode = await checkOutput(path, options);
  // A link keeps pointing at its file, which is replaced where it lies.
  const target = force ? await realpath(path).catch(() => path) : path;
  const temporary = temporaryFor(target, token);
  try {
    await writeSynced(temporary, bytes, mode, options);
    signal?.throwIfAborted();
    await (force ? rename(temporary, target) : publishNew(temporary, target));
  } catch (thrown) {
    await unlink(temporary).catch(() => undefined);
    signal?.throwIfAborted();
    throw writeFailure(path, thrown);
  }
}

/** Where the bytes of `path` lie until they are whole. */
export function temporaryFor(path: string, token: string): string {
  return join(dirname(path), `.framewright-${token}.tmp`);
}

/**
 * Fails early, before any work is put into it, if `path` cannot be written for a reason that can be seen from outside.
 * @returns the mode the file is to have: that of the file it replaces.
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function checkOutput(path: string, options: WriteOptions = {}): Promise<number> {
  const existing = await lstat(path).catch((thrown: unknown) => {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw writeFailure(path, thrown);
  });
  if (!existing) return 0o666;
  if (existing.isDirectory()) {
    throw new FramewrightError('OUTPUT_WRITE', `${path} is a folder: name a file in it`);
  }
  // Renaming over a device such as /dev/null would take it away from the whole machine.
  if (!existing.isFile() && !existing.isSymbolicLink()) {
    throw new FramewrightError('OUTPUT_WRITE', `${path} is a device or pipe, not a file: choose another output`);
  }
  if (!(options.force ?? false)) throw alreadyExists(path);
  return existing.isFile() ? existing.mode & 0o777 : 0o666;
}

/**
 * Fails early where the folder of `path` is not there, or nothing may be made in it.
 *
 * @param isMade whether `makeFolder` makes it first: then the nearest folder there is counts
 * @throws FramewrightError OUTPUT_WRITE
 */
export async function checkOutputFolder(
  path: string,
  { isMade = false }: { readonly isMade?: boolean } = {},
): Promise<void> {
  const folder = isMade ? nearestFolder(dirname(path)) : dirname(path);
  await access(folder, constants.W_OK | constants.X_OK).catch((thrown: unknown) => {
    throw writeFailure(path, thrown, folder);
  });
}

/** The folder, or the first above it that is there. */
function nearestFolder(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || existsSync(folder) ? folder : nearestFolder(parent);
}

async function writeSynced(
  path: string,
  bytes: Uint8Array,
  mode: number,
  { modifiedMs, signal }: WriteOptions,
): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(bytes, signal ? { signal } : {});
    if (modifiedMs !== undefined) await handle.utimes(Date.now() / 1000, modifiedMs / 1000);
    await synced(handle);
  } finally {
    await handle.close();
  }
}

/** Has all that was written on the disk. */
export async function synced(handle: FileHandle): Promise<void> {
  await handle.sync().catch((thrown: unknown) => {
    // Some network and FUSE file systems have no sync; they are written through anyway.
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(codeOf(thrown) ?? '')) throw thrown;
  });
}

/**
 * Gives a finished file its name only if nothing has that name: a hard link fails where a rename would overwrite.
 * Memory cards (FAT, exFAT) have no hard links; there the name is first taken with an empty file.
 */
export async function publishNew(temporary: string, target: string, makeLink: typeof link = link): Promise<void> {
  try {
    await makeLink(temporary, target);
    await unlink(temporary);
  } catch (thrown) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK'].includes(codeOf(thrown) ?? '')) throw thrown;
    await (await open(target, 'wx')).close();
    await rename(temporary, target);
  }
}

function alreadyExists(path: string, cause?: unknown): FramewrightError {
  return new FramewrightError('OUTPUT_EXISTS', `${path} exists already: use --force to replace it`, { cause });
}

/** The error of a write that failed, which says what to do. */
export function writeFailure(path: string, thrown: unknown, folder = dirname(path)): FramewrightError {
  if (thrown instanceof FramewrightError) return thrown;
  const failure = (what: string): FramewrightError =>
    new FramewrightError('OUTPUT_WRITE', `cannot write ${path}: ${what}`, { cause: thrown });
  switch (codeOf(thrown)) {
    case 'EEXIST':
      return alreadyExists(path, thrown);
    case 'ENOENT':
    case 'ENOTDIR':
      return failure(`the folder ${folder} does not exist: create it first`);
    case 'EACCES':
    case 'EPERM':
      return failure(`no permission in ${folder}: choose another folder or change its owner or mode`);
    case 'EROFS':
      return failure('the disk is read-only: choose another folder');
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return failure('the disk or quota is full, or the file larger than allowed: free some space');
    case 'ENAMETOOLONG':
      return failure('the name is too long: choose a shorter one');
    default:
      return failure(messageOf(thrown));
  }
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}
