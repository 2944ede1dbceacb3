import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Undefined where there is no such file, or none that can be read. */
export function hashOfFile(file: string): Promise<string | undefined> {
  return readFile(file).then(sha256Of, () => undefined);
}

/** Whether the file is there, and its hash one of these. */
export async function hasOneOf(hashes: ReadonlySet<string> | undefined, file: string): Promise<boolean> {
  if (!hashes) return false;
  const hash = await hashOfFile(file);
  return hash !== undefined && hashes.has(hash);
}
