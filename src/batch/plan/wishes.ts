import path from 'node:path';
import { defined } from '../../base/defined.js';
import type { PhotoWishes } from '../../cropper/options.js';
import { parseTargets, type Target } from '../../crop/target.js';
import { readHints, type PhotoHint } from '../hints.js';
import type { BatchSettings } from '../settings.js';

/** What is wished of each photo, by its path. */
export interface Wishes {
  /** The photos hints are given for, as they are called there; undefined without a file of hints. */
  readonly hinted?: readonly string[];
  readonly of: (photo: string) => PhotoWishes;
  readonly targetsOf: (photo: string) => readonly Target[];
  /** What to say of hints for none of these photos: one whose path is mistyped would be missed by nobody. */
  readonly unused: (photos: readonly string[]) => string | undefined;
}

/** @throws FramewrightError USAGE for an aspect, size or hint that is none; as readHints */
export async function readWishes({ aspects, sizes, hints: file }: BatchSettings): Promise<Wishes> {
  const shared = parseTargets(aspects, sizes);
  const hints = file === undefined ? undefined : await readHints(file);
  const of = (photo: string): PhotoWishes => hints?.get(path.resolve(photo))?.wishes ?? {};
  return {
    ...defined({ hinted: hints && [...hints.values()].map((hint) => hint.path) }),
    of,
    targetsOf: (photo) => {
      const own = of(photo);
      return (own.aspects ?? own.sizes) ? parseTargets(own.aspects ?? [], own.sizes ?? []) : shared;
    },
    unused: (photos) => hints && unusedHints(hints, photos),
  };
}

function unusedHints(hints: ReadonlyMap<string, PhotoHint>, photos: readonly string[]): string | undefined {
  const taken = new Set(photos.map((photo) => path.resolve(photo)));
  const unused = [...hints].filter(([photo]) => !taken.has(photo)).map(([, hint]) => hint);
  const [first] = unused;
  if (!first) return undefined;
  const which = `${first.from}: ${first.path}`;
  return unused.length === 1
    ? `1 hint is for a photo that is not among those given (${which})`
    : `${unused.length} hints are for photos that are not among those given (${which})`;
}
