import { constants, open, type FileHandle } from 'node:fs/promises';
import { FramewrightError, messageOf } from '../base/errors.js';

/** Opening a named pipe would wait for its writer, beyond the reach of any signal. Of no effect on files; Windows has none. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);

export interface ReadRegularOptions {
  /** What the file is to its reader, for errors: `sidecar`. */
  readonly what: string;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All bytes of a file that lies where anybody may put one. What is no file (a pipe, which would never end or begin, a
 * device, a folder) and what is larger than such a file can be is refused before it is read; links are followed.
 *
 * @returns undefined where nothing is.
 * @throws FramewrightError INPUT_UNREADABLE, INPUT_TOO_LARGE
 */
export async function readRegularFile(
  path: string,
  { what, maxBytes, signal }: ReadRegularOptions,
): Promise<Buffer | undefined> {
  signal?.throwIfAborted();
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ_WITHOUT_WAITING);
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new FramewrightError('INPUT_UNREADABLE', `the ${what} ${path} is no file: move it away`);
    }
    // One byte more than it should have: some files of the system have another length than they say.
    const bytes = Buffer.alloc(Math.min(stat.size, maxBytes) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
    signal?.throwIfAborted();
    if (length > maxBytes) {
      const limit = `${(maxBytes / 1e6).toFixed(0)} MB`;
      throw new FramewrightError('INPUT_TOO_LARGE', `the ${what} ${path} has more than ${limit}: move it away`);
    }
    if (length > stat.size) {
      throw new FramewrightError('INPUT_UNREADABLE', `the ${what} ${path} grew while it was read: try again`);
    }
    return bytes.subarray(0, length);
  } catch (thrown) {
    signal?.throwIfAborted();
    if (thrown instanceof FramewrightError) throw thrown;
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw new FramewrightError('INPUT_UNREADABLE', `cannot read the ${what} ${path}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  } finally {
    await handle?.close();
  }
}
