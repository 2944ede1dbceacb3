import { createHash } from 'node:crypto';
import { constants } from 'node:fs/promises';
import { openOwnFile } from '../../files/own-file.js';

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** sha256 of what a file holds; undefined where there is none that can be read, or a link to one, which no run of ours leaves. */
export async function contentHash(file: string): Promise<string | undefined> {
  try {
    await using handle = await openOwnFile(file, constants.O_RDONLY);
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

/** Whether the file is there and holds what has one of these hashes. */
export async function holdsOneOf(hashes: ReadonlySet<string> | undefined, file: string): Promise<boolean> {
  if (!hashes) return false;
  const hash = await contentHash(file);
  return hash !== undefined && hashes.has(hash);
}
