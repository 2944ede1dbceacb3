import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import type { Box } from '../../../src/base/geometry.js';

export const SIZE = { width: 200, height: 150 };
/** The crops of the two methods, and of the attention check. */
export const OURS: Box = [20, 10, 180, 140];
export const THEIRS: Box = [0, 0, 150, 120];
export const GOOD: Box = [10, 10, 190, 140];
export const BAD: Box = [0, 0, 20, 15];

export interface SmallStudy {
  readonly at: (...names: readonly string[]) => string;
  /** Writes a study of so many photos, crops of `ours` and `theirs` for each and a check; its file. */
  readonly write: (name: string, more?: object) => string;
}

/** Call at the top of a file: a folder with photos `0.jpg`, `1.jpg`, ..., gone afterwards. */
export function useSmallStudy(nPhotos: number): SmallStudy {
  let folder: string;
  const at = (...names: readonly string[]): string => path.join(folder, ...names);
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'framewright-study-'));
    const bytes = await sharp({ create: { ...SIZE, channels: 3, background: '#486' } })
      .jpeg()
      .toBuffer();
    for (let i = 0; i < nPhotos; i++) writeFileSync(at(`${i}.jpg`), bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    at,
    write(name, more = {}) {
      const photos = Array.from({ length: nPhotos }, (_, i) => ({
        path: at(`${i}.jpg`),
        crops: { ours: OURS, theirs: THEIRS },
      }));
      const checks = [{ path: at('0.jpg'), better: GOOD, worse: BAD }];
      writeFileSync(at(name), JSON.stringify({ judges: 3, photos, checks, ...more }));
      return at(name);
    },
  };
}
