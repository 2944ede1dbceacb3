import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { defined } from '../../base/defined.js';
import { readCadb } from '../../eval/datasets/cadb.js';
import { readFcdbCrops, readFcdbPairs } from '../../eval/datasets/fcdb.js';
import { readFlms } from '../../eval/datasets/flms.js';
import { readGaicd } from '../../eval/datasets/gaicd.js';
import { indexPhotos, photoSize } from '../../eval/datasets/photos.js';
import type { LabelledPhoto } from '../../eval/datasets/types.js';
import { lotsFor } from '../lots.js';
import { asElements } from './composition.js';
import { ratedByAgreement, wholeAgainstCut } from './drawn-crops.js';
import { readTasteLines } from './labels-file.js';
import { maskPathOf, subjectOfMask } from './masks.js';
import type { Problem, Split, TastePhoto, TasteSource } from './types.js';

/** What training data can be made from. */
export const SOURCES = ['gaicd', 'fcdb', 'flms', 'cadb', 'masks', 'own'] as const;
export type SourceName = (typeof SOURCES)[number];

export interface SourceOptions {
  /** Where the photos are. Default: the folder of the labels. */
  readonly photos?: string;
  /** A folder of subject masks, `<photo>.png`. */
  readonly masks?: string;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Crops drawn blindly beside those of a photo's annotators. */
const DRAWN_PER_PHOTO = 24;
/** Pairs made of a subject mask. */
const PAIRS_PER_MASK = 8;
/** GAICD's opinion scores go from 1 to 5. */
const MOS_GAP = 1;
/** In mean IoU with a photo's annotators. */
const AGREEMENT_GAP = 0.2;

/**
 * Reads what people said of photos.
 *
 * @param labels the data set's folder, a folder of masks, or a file of one's own lines
 * @throws FramewrightError DATASET_INVALID, INPUT_NOT_FOUND, USAGE
 */
export async function readSource(name: SourceName, labels: string, options: SourceOptions): Promise<TasteSource> {
  const source = await readers[name](labels, options);
  const { masks } = options;
  if (masks === undefined || name === 'masks') return source;
  return { ...source, photos: await withSubjects(source.photos, masks, options.photos ?? labels, options.signal) };
}

const readers: Readonly<Record<SourceName, (labels: string, options: SourceOptions) => Promise<TasteSource>>> = {
  gaicd: async (labels, options) => {
    const { name, photos, missing, repairs } = await readGaicd(labels, readerOptions(options));
    const taste = there(photos).map(({ photo, base }) => ({
      ...base,
      crops: photo.crops.map(({ box, mos }) => ({ box, rating: mos })),
      pairs: [],
    }));
    return { name, photos: taste, ratingGap: MOS_GAP, missing, repairs };
  },
  flms: async (labels, options) => {
    const { name, photos, missing, repairs } = await readFlms(labels, readerOptions(options));
    const taste = there(photos).map(({ photo, base }) => ({
      ...base,
      crops: ratedByAgreement(photo.boxes, photo.size!, DRAWN_PER_PHOTO, lotsFor(options.seed, photo.id)),
      pairs: [],
    }));
    return { name, photos: taste, ratingGap: AGREEMENT_GAP, missing, repairs };
  },
  fcdb: async (labels, options) => {
    const crops = await readFcdbCrops(labels, readerOptions(options));
    const judged = await readFcdbPairs(labels, readerOptions(options));
    const photos = new Map<string, TastePhoto>();
    for (const { photo, base } of there(crops.photos)) {
      photos.set(base.id, { ...base, crops: photo.boxes.map((box) => ({ box, rating: 1 })), pairs: [] });
    }
    for (const { photo, base } of there(judged.photos)) {
      const pairs = photo.pairs.map(({ boxes: [a, b], votes: [forA, forB] }) =>
        forA > forB ? { chosen: a, rejected: b } : { chosen: b, rejected: a },
      );
      photos.set(base.id, { ...(photos.get(base.id) ?? { ...base, crops: [] }), pairs });
    }
    const missing = new Map([...crops.missing, ...judged.missing].map((problem) => [problem.id, problem]));
    return {
      name: 'FCDB',
      photos: [...photos.values()],
      ratingGap: 1,
      missing: [...missing.values()],
      repairs: [...crops.repairs, ...judged.repairs],
    };
  },
  cadb: async (labels, options) => {
    const { name, photos, missing, repairs } = await readCadb(labels, readerOptions(options));
    const taste = there(photos)
      .map(({ photo, base }) => ({ ...base, elements: asElements(photo.elements), crops: [], pairs: [] }))
      .filter(({ elements }) => elements.length > 0);
    return { name, photos: taste, ratingGap: 1, missing, repairs };
  },
  masks: async (labels, options) => {
    const folder = options.photos;
    if (folder === undefined) {
      throw new FramewrightError('USAGE', 'masks are of photos: name the folder of these with --photos');
    }
    const { paths } = await indexPhotos(folder);
    await indexPhotos(labels); // or it is no folder
    const below = paths.filter((file) => !isBelow(file, labels));
    const photos: TastePhoto[] = [];
    const missing: Problem[] = [];
    for (const file of below) {
      const base = { id: path.relative(folder, file), path: file, crops: [], pairs: [] };
      const [photo] = await withSubjects([base], labels, folder, options.signal);
      if (!photo?.subject) continue;
      const pairs = wholeAgainstCut(photo.subject, photo.space!, PAIRS_PER_MASK, lotsFor(options.seed, base.id));
      photos.push({ ...photo, pairs });
    }
    return { name: 'subject masks', photos, ratingGap: 1, missing, repairs: [] };
  },
  own: (labels, { photos, signal }) => readTasteLines(labels, photos, signal),
};

function readerOptions({ photos, signal }: SourceOptions): { photos?: string; signal?: AbortSignal } {
  return defined({ photos, signal });
}

interface PresentPhoto<Photo> {
  readonly photo: Photo;
  readonly base: Pick<TastePhoto, 'id' | 'path' | 'split'> & { readonly space?: Size };
}

/** Labelled photos whose file is there. */
function there<Photo extends LabelledPhoto>(photos: readonly Photo[]): PresentPhoto<Photo>[] {
  return photos.flatMap((photo) => {
    const { id, path: file, size, split } = photo;
    if (file === undefined || size === undefined) return [];
    return [{ photo, base: { id, path: file, space: size, ...splitOf(split) } }];
  });
}

/** A data set's own division holds: what it does not train on is for measuring. */
function splitOf(split: string | undefined): { readonly split?: Split } {
  return split === undefined ? {} : { split: split === 'train' ? 'train' : 'heldout' };
}

async function withSubjects(
  photos: readonly TastePhoto[],
  masks: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<TastePhoto[]> {
  const out: TastePhoto[] = [];
  for (const photo of photos) {
    signal?.throwIfAborted();
    const file = maskPathOf(masks, photo.path, folder);
    const space = photo.space ?? (await photoSize(photo.path));
    const subject = file === undefined ? undefined : await subjectOfMask(file, space);
    out.push({ ...photo, space, ...(subject && { subject }) });
  }
  return out;
}

function isBelow(file: string, folder: string): boolean {
  return !path.relative(path.resolve(folder), path.resolve(file)).startsWith('..');
}
