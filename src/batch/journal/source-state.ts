import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readInput } from '../../photo/input.js';
import { shaWithoutCrop } from '../../photo/metadata/sha-without-crop.js';

/** A photo's file as it was when it was cropped. */
export interface SourceState {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
  /** As shaWithoutCrop has it, where it has any. */
  readonly withoutCrop?: string | undefined;
}

/** A photo's file as it was before it was read. */
export type SeenSource = Pick<SourceState, 'size' | 'mtimeMs'>;

/** Undefined for what is no plain file: a pipe has no state to know it by again. */
export async function seeSource(photo: string): Promise<SeenSource | undefined> {
  const seen = await stat(photo).catch(() => undefined);
  return seen?.isFile() ? { size: seen.size, mtimeMs: seen.mtimeMs } : undefined;
}

/**
 * Whether a photo is as it was; its size and time are looked at first, its content only where they differ. A crop that was
 * noted in its own XMP since, by this run or another, is no change.
 */
export async function isUnchanged(photo: string, state: SourceState): Promise<boolean> {
  const { size, mtimeMs, sha256, withoutCrop } = state;
  let now: Stats;
  try {
    now = await stat(photo);
  } catch (error) {
    // Whoever moves photos away once they are cropped has them cropped all the same.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
  if (!now.isFile()) return false;
  if (now.size === size && (now.mtimeMs === mtimeMs || (await hasHash(photo, sha256)))) return true;
  return withoutCrop !== undefined && (await shaOfFile(photo)) === withoutCrop;
}

async function shaOfFile(photo: string): Promise<string | undefined> {
  const encoded = await readInput(photo).catch(() => undefined); // its own error when its turn comes
  return encoded && shaWithoutCrop(encoded.bytes, encoded.format);
}

async function hasHash(photo: string, sha256: string): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(photo)) hash.update(chunk as Buffer);
  } catch {
    return false; // its own error when its turn comes
  }
  return hash.digest('hex') === sha256;
}
