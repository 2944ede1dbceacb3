import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright, type Finished } from '../run.js';

export interface PhotoFolder {
  /** A path in the folder. */
  readonly at: (...names: readonly string[]) => string;
  /** The command, in the folder. */
  readonly run: (...args: readonly string[]) => Promise<Finished>;
}

/** Call at the top of a file: a folder for each test, with `in/dogs.jpg` and `in/pagoda.jpg`, gone afterwards. */
export function usePhotoFolder(): PhotoFolder {
  let folder: string;
  const at = (...names: readonly string[]): string => path.join(folder, ...names);
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'framewright-photos-'));
    mkdirSync(at('in'));
    for (const name of ['dogs', 'pagoda'] as const) copyFileSync(examplePhoto(name), at('in', `${name}.jpg`));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return { at, run: (...args) => framewright(args, { cwd: folder }) };
}
