import { randomUUID } from 'node:crypto';
import { open, rename, unlink, writeFile } from 'node:fs/promises';
import { temporaryFor, writeFailure } from '../../files/write.js';
import type { BucketAccess } from './access.js';
import type { BucketObject } from './bucket-object.js';
import { openObject, type ReadOptions } from './read-object.js';

/**
 * Brings an object to a file, piece by piece. The file appears whole, with the object's time, or not at all; one that is
 * there already is replaced.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, OUTPUT_WRITE, USAGE; the signal's reason
 */
export async function downloadObject(
  access: BucketAccess,
  key: string,
  file: string,
  options: ReadOptions,
): Promise<BucketObject> {
  const temporary = temporaryFor(file, randomUUID());
  try {
    // Opened first: an answer that nobody reads would hold its connection.
    const handle = await open(temporary, 'wx');
    let object: BucketObject;
    try {
      const opened = await openObject(access, key, options);
      object = opened.object;
      await writeFile(handle, opened.body);
      await handle.utimes(Date.now() / 1000, object.modifiedMs / 1000);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return object;
  } catch (thrown) {
    await unlink(temporary).catch(() => undefined);
    options.signal.throwIfAborted();
    throw writeFailure(file, thrown);
  }
}
