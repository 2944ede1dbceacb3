import { join } from 'node:path';
import { z } from 'zod';
import type { Box } from '../../base/geometry.js';
import { cleanBox, fourNumbers } from './boxes.js';
import { parseJson, readDatasetFile } from './files.js';
import { indexPhotos, locatePhoto } from './photos.js';
import type { BoxesPhoto, DatasetOfKind, DatasetOptions, JudgedPair, MissingPhoto, PairsPhoto } from './types.js';

const flickrPhoto = { url: z.string(), flickr_photo_id: z.union([z.int(), z.string()]) };
const cropsSchema = z.array(z.object({ ...flickrPhoto, crop: fourNumbers }));
const vote = z.int().nonnegative();
const rankingSchema = z.array(
  z.object({
    ...flickrPhoto,
    crops: z.array(z.object({ crop_0: fourNumbers, crop_1: fourNumbers, vote_for_0: vote, vote_for_1: vote })),
  }),
);

/**
 * FCDB (Chen et al., "Quantitative Analysis of Automatic Image Cropping Algorithms", 2017): one crop a photo. Photos
 * are found under the name in their Flickr address or under their Flickr number.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readFcdbCrops(
  folder: string,
  { signal, photos: photosFolder = folder }: DatasetOptions = {},
): Promise<DatasetOfKind<'boxes'>> {
  const index = await indexPhotos(photosFolder);
  const photos: BoxesPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const repairs: string[] = [];
  for (const [split, file] of [
    ['train', 'cropping_training_set.json'],
    ['test', 'cropping_testing_set.json'],
  ] as const) {
    const path = join(folder, file);
    const labels = parseJson((await readDatasetFile(path, signal)).toString('utf8'), cropsSchema, path);
    for (const label of labels) {
      signal?.throwIfAborted();
      const id = String(label.flickr_photo_id);
      const found = await locatePhoto(index, id, missing, { names: photoNames(label.url, id), split });
      const box = cleanBox(fromXywh(label.crop), found.size, id, repairs);
      if (box) photos.push({ id, ...found, split, boxes: [box] });
    }
  }
  return { kind: 'boxes', name: 'FCDB', folder, photos, missing, repairs };
}

/**
 * FCDB's ranked pairs: five votes a pair. The split is that of the crops' files, where the photo is in one of them.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readFcdbPairs(
  folder: string,
  { signal, photos: photosFolder = folder }: DatasetOptions = {},
): Promise<DatasetOfKind<'pairs'>> {
  const index = await indexPhotos(photosFolder);
  const testPath = join(folder, 'cropping_testing_set.json');
  const testLabels = parseJson((await readDatasetFile(testPath, signal)).toString('utf8'), cropsSchema, testPath);
  const testIds = new Set(testLabels.map((label) => String(label.flickr_photo_id)));
  const path = join(folder, 'ranking_annotation.json');
  const labels = parseJson((await readDatasetFile(path, signal)).toString('utf8'), rankingSchema, path);

  const photos: PairsPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const repairs: string[] = [];
  for (const label of labels) {
    signal?.throwIfAborted();
    const id = String(label.flickr_photo_id);
    const found = await locatePhoto(index, id, missing, { names: photoNames(label.url, id) });
    const pairs = label.crops.flatMap((pair): JudgedPair[] => {
      const first = cleanBox(fromXywh(pair.crop_0), found.size, id, repairs);
      const second = cleanBox(fromXywh(pair.crop_1), found.size, id, repairs);
      if (!first || !second) return [];
      if (pair.vote_for_0 === pair.vote_for_1) {
        repairs.push(`${id}: left out a pair with ${pair.vote_for_0} votes each`);
        return [];
      }
      return [{ boxes: [first, second], votes: [pair.vote_for_0, pair.vote_for_1] }];
    });
    if (pairs.length === 0) repairs.push(`${id}: left the photo out, no usable pair`);
    else photos.push({ id, ...found, split: testIds.has(id) ? 'test' : 'train', pairs });
  }
  return { kind: 'pairs', name: 'FCDB pairs', folder, photos, missing, repairs };
}

function photoNames(url: string, id: string): string[] {
  return [url.split('/').at(-1) ?? id, `${id}.jpg`];
}

function fromXywh([x, y, width, height]: readonly [number, number, number, number]): Box {
  return [x, y, x + width, y + height];
}
