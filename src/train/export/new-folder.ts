import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { checkOutputFolder, writeFailure } from '../../files/write.js';
import { makeFolder } from '../../files/make-folder.js';

/**
 * Makes a folder that appears whole or not at all: `fill` gets one beside it, which takes its name in one step. On an
 * error or abort nothing is left of either.
 *
 * @throws FramewrightError OUTPUT_EXISTS where the folder holds anything; OUTPUT_WRITE; what `fill` throws
 */
export async function makeNewFolder<T>(folder: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  await checkNewFolder(folder);
  const whole = path.resolve(folder);
  await makeFolder(path.dirname(whole));
  const temporary = path.join(path.dirname(whole), `.framewright-${randomUUID()}.tmp`);
  try {
    await mkdir(temporary);
    const result = await fill(temporary);
    await rmdir(whole).catch(ignoreMissing);
    await rename(temporary, whole);
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error instanceof Error && 'syscall' in error ? writeFailure(folder, error) : error;
  }
}

/**
 * Fails before any work is put into it.
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function checkNewFolder(folder: string): Promise<void> {
  await checkOutputFolder(path.resolve(folder), { isMade: true });
  const holds = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR')
      throw new FramewrightError('OUTPUT_EXISTS', `${folder} is a file: name a new folder`);
    throw writeFailure(folder, error);
  });
  if (holds.length > 0) {
    throw new FramewrightError('OUTPUT_EXISTS', `${folder} is not empty: name a new folder, or empty this one`);
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
