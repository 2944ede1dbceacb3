import { constants, open, type FileHandle } from 'node:fs/promises';
import { FramewrightError } from '../base/errors.js';

/**
 * Opens a file that we keep for ourselves (a journal, a lock): what lies under its name is ours only where it is a plain
 * file. A link, which would have another file read or written, and what is no file are refused; a pipe is not waited for.
 *
 * @param flags of open(2), e.g. O_RDONLY
 * @throws FramewrightError INPUT_UNREADABLE; the system's error where it cannot be opened
 */
export async function openOwnFile(file: string, flags: number): Promise<FileHandle> {
  const handle = await open(file, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    throw isNoFile(error) ? noPlainFile(file, error) : error;
  });
  const isFile = await handle.stat().then(
    (stat) => stat.isFile(),
    () => false,
  );
  if (isFile) return handle;
  await handle.close();
  throw noPlainFile(file);
}

/**
 * All of such a file as text.
 *
 * @returns undefined where nothing is
 * @throws FramewrightError INPUT_UNREADABLE, also for more bytes than it can have; the system's error
 */
export async function readOwnFile(file: string, maxBytes: number): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await openOwnFile(file, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    if (size <= maxBytes) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
      return buffer.toString('utf8', 0, bytesRead);
    }
  } finally {
    await handle.close();
  }
  throw new FramewrightError('INPUT_UNREADABLE', `${file} has more than ${maxBytes} bytes, and is none of ours`);
}

/** A link, and a socket or a pipe that nobody reads, opened for writing. */
function isNoFile(error: unknown): boolean {
  return ['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function noPlainFile(file: string, cause?: unknown): FramewrightError {
  return new FramewrightError(
    'INPUT_UNREADABLE',
    `${file} is a link, a pipe or a device where a file should be: move it away, or name another`,
    {
      cause,
    },
  );
}
