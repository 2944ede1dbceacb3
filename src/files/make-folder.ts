import { existsSync } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../base/errors.js';

/**
 * Makes a folder and those above it. (Node's own recursive mkdir never returns where a file system answers "no such file"
 * inside a folder that is there, as /proc does.)
 *
 * @throws FramewrightError OUTPUT_WRITE
 */
export async function makeFolder(folder: string): Promise<void> {
  const parent = path.dirname(folder);
  if (parent !== folder && !existsSync(parent)) await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return; // a file in its place shows when writing into it
    throw new FramewrightError('OUTPUT_WRITE', `cannot make the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Fails early, before any work is put into what goes there, where a folder is not there and cannot be made, or takes no
 * files.
 *
 * @throws FramewrightError OUTPUT_WRITE
 */
export async function checkFolder(folder: string): Promise<void> {
  const parent = path.dirname(folder);
  if (parent !== folder && !existsSync(folder)) return checkFolder(parent);
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw new FramewrightError('OUTPUT_WRITE', `cannot write in the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  });
}
