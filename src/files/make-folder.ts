import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
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
