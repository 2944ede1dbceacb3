import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** sha256 of what a file holds; undefined where there is no such file, or none that can be read. */
export function contentHash(file: string): Promise<string | undefined> {
  return readFile(file).then(sha256Of, () => undefined);
}

/** Whether the file is there and holds what has one of these hashes. */
export async function holdsOneOf(hashes: ReadonlySet<string> | undefined, file: string): Promise<boolean> {
  if (!hashes) return false;
  const hash = await contentHash(file);
  return hash !== undefined && hashes.has(hash);
}
