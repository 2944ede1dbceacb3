import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { BatchEnd, BatchListener, BatchOptions } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

/** What `in` holds. */
export const PHOTOS = ['dogs', 'mountains', 'pagoda'].map((name) => `${name}.jpg`);

interface SmallPhotos {
  /** A path in the folder. */
  readonly at: (...names: readonly string[]) => string;
  /** What a run has put into `out`, its journal aside. */
  readonly written: () => string[];
  /** A run over `in` into `out`, by the engine `rules`. */
  readonly rules: (more?: Partial<BatchOptions>) => BatchOptions;
}

/** Call at the top of a file: a folder for each test, with `in` holding three photos of 224 px, gone afterwards. */
export function useSmallPhotos(): SmallPhotos {
  let small: string;
  let folder: string;
  const at = (...names: readonly string[]): string => path.join(folder, ...names);
  beforeAll(async () => {
    small = mkdtempSync(path.join(tmpdir(), 'framewright-small-'));
    for (const name of ['dogs', 'pagoda', 'mountains'] as const) {
      await sharp(examplePhoto(name))
        .resize(224, 224, { fit: 'inside' })
        .toFile(path.join(small, `${name}.jpg`));
    }
  });
  afterAll(() => rmSync(small, { recursive: true }));
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'framewright-batch-'));
    mkdirSync(at('in'));
    for (const name of PHOTOS) copyFileSync(path.join(small, name), at('in', name));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  return {
    at,
    written: () => readdirSync(at('out')).filter((name) => !name.startsWith('.')),
    rules: (more = {}) => ({ inputs: [at('in')], output: at('out', '/'), cropper: { engine: 'rules' }, ...more }),
  };
}

/** Puts down what a run tells, each event as a few words; photos by their names. */
export function recorder(more: BatchListener = {}): { told: string[]; ends: BatchEnd[]; listener: BatchListener } {
  const told: string[] = [];
  const ends: BatchEnd[] = [];
  const listener: BatchListener = {
    ...more,
    onPrepare: ({ step, nPhotos }) => told.push(`${step}, ${nPhotos}`),
    onNote: ({ about, text }) => told.push(`note on ${about}: ${text}`),
    onPlan: (photos) => told.push(`plan of ${photos.length}`),
    onOpen: ({ engine }) => told.push(`open ${engine}`),
    onResume: ({ nEarlier, nTotal }) => told.push(`resume, ${nEarlier} of ${nTotal}`),
    onBegin: ({ nTotal, nEarlier }) => told.push(`begin, ${nEarlier} of ${nTotal}`),
    onPhoto: (photo) => {
      told.push(`${path.basename(photo.input)} ${photo.isEarlier ? 'earlier' : 'done'}`);
      more.onPhoto?.(photo);
    },
    onFailure: ({ input, error }) => told.push(`${path.basename(input)} failed: ${(error as { code: string }).code}`),
    onProgress: ({ nDone, nTotal, nFailed }) => told.push(`${nDone} of ${nTotal}, ${nFailed} failed`),
    onEnd: (end) => {
      told.push('end');
      ends.push(end);
    },
  };
  return { told, ends, listener };
}
