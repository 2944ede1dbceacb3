import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A photo's file as it was when it was cropped. */
export interface SourceState {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
}

/** A photo's file as it was before it was read. */
export type SeenSource = Omit<SourceState, 'sha256'>;

/** Undefined for what is no plain file: a pipe has no state to know it by again. */
export async function seeSource(photo: string): Promise<SeenSource | undefined> {
  const seen = await stat(photo).catch(() => undefined);
  return seen?.isFile() ? { size: seen.size, mtimeMs: seen.mtimeMs } : undefined;
}

/** Whether a photo is as it was; its size and time are looked at first, its content only where they differ. */
export async function isUnchanged(photo: string, { size, mtimeMs, sha256 }: SourceState): Promise<boolean> {
  let now: Stats;
  try {
    now = await stat(photo);
  } catch (error) {
    // Whoever moves photos away once they are cropped has them cropped all the same.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
  if (!now.isFile() || now.size !== size) return false;
  if (now.mtimeMs === mtimeMs) return true;
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(photo)) hash.update(chunk as Buffer);
  } catch {
    return false; // its own error when its turn comes
  }
  return hash.digest('hex') === sha256;
}
