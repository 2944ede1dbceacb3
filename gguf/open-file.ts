import { constants, open, type FileHandle } from 'node:fs/promises';
import { GgufError } from './errors.js';

/** @throws GgufError `IO` when it cannot be opened or is no regular file. */
export async function openRegularFile(path: string): Promise<{ file: FileHandle; fileBytes: number }> {
  try {
    // A named pipe is not waited for.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isFile()) return { file, fileBytes: stat.size };
    await file.close();
  } catch (error) {
    throw namingFile(path, error);
  }
  throw new GgufError('IO', `${path}: it is no regular file`);
}

/** The same failure as a GgufError that names the file; what is neither ours nor the system's stays as it is. */
export function namingFile(path: string, error: unknown): unknown {
  if (error instanceof GgufError) return new GgufError(error.code, `${path}: ${error.message}`, { cause: error });
  if (error instanceof Error && 'syscall' in error) {
    return new GgufError('IO', `cannot read ${path}: ${error.message}`, { cause: error });
  }
  return error;
}
