import { join } from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { parseJsonLines } from '../../files/json-lines-file.js';
import { JUDGED_PLACES } from '../metrics/place.js';
import { RATIO_NAMES } from '../ratio-window.js';
import { checkShape, readDatasetFile } from './files.js';
import { indexPhotos, locatePhoto } from './photos.js';
import type { DatasetOfKind, DatasetOptions, MissingPhoto, PlacesPhoto } from './types.js';

const FILE = 'places.jsonl';

const place = z.literal(JUDGED_PLACES);
const lineSchema = z.object({
  file: z.string().min(1),
  aspect: z.enum(RATIO_NAMES),
  best: place,
  second: place,
  bad: z.array(place),
  same: z.boolean(),
});

/**
 * Places of fixed-ratio crops that an editor judged, `places.jsonl`: for a photo and a ratio, which of five places of the
 * largest crop of that ratio (0, .25, .5, .75, 1 of the way it can move, from left or top) is the best, the second, and
 * which are undeliverable; `same` where it does not matter.
 * @throws FramewrightError `DATASET_INVALID` naming file, line and key.
 */
export async function readPlaces(folder: string, { signal }: DatasetOptions = {}): Promise<DatasetOfKind<'places'>> {
  const index = await indexPhotos(folder, { except: 'masks' });
  const path = join(folder, FILE);
  const text = (await readDatasetFile(path, signal)).toString('utf8');
  const notJson = (from: string, cause: unknown): FramewrightError =>
    new FramewrightError('DATASET_INVALID', `${from} is not JSON: ${messageOf(cause)}`, { cause });
  const photos: PlacesPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const seen = new Set<string>();
  for (const { value, from } of parseJsonLines(text, path, notJson)) {
    signal?.throwIfAborted();
    const { file, aspect, same, ...judged } = checkShape(value, lineSchema, from);
    const id = `${file} ${aspect}`;
    if (seen.has(id)) throw new FramewrightError('DATASET_INVALID', `${from}: ${file} was judged at ${aspect} before`);
    seen.add(id);
    const found = await locatePhoto(index, file, missing);
    photos.push({ id, ...found, split: aspect, aspect, judgement: { ...judged, isSame: same } });
  }
  return { kind: 'places', name: 'judged places', folder, photos, missing, repairs: [] };
}
