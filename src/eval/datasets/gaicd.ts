import { access, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { counted } from '../../base/counted.js';
import { FramewrightError } from '../../base/errors.js';
import type { Box, Size } from '../../base/geometry.js';
import { cleanBox, compareBoxes, fourNumbers } from './boxes.js';
import { parseJson, readDatasetFile } from './files.js';
import { indexPhotos, locatePhoto, type FoundPhoto } from './photos.js';
import type { DatasetOfKind, DatasetOptions, MissingPhoto, RankingPhoto, RatedCrop } from './types.js';

/** A crop its raters were asked to skip. */
const DISCARDED_MOS = -2;
const SPLITS = ['train', 'val', 'test'];

const jsonSchema = z.record(
  z.string(),
  z.object({
    split: z.string(),
    size_inferred: z.tuple([z.int().positive(), z.int().positive()]),
    crops_xyxy: z.array(fourNumbers),
    mos: z.array(z.number()),
  }),
);

interface GaicdLabel {
  readonly id: string;
  readonly split: string | undefined;
  readonly size: Size | undefined;
  readonly crops: readonly RatedCrop[];
}

/**
 * GAICD (Zeng et al., "Grid Anchor based Image Cropping", 2020), versions 1 and 2: up to 90 rated crops a photo.
 * Reads `annotations/<split>/<photo>.txt` or `annotations/<photo>.txt` with the photos in `images/<split>/`, or one
 * JSON `gaicd*.json` of all. Crops rated -2 are left out.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readGaicd(
  folder: string,
  { signal, photos: photosFolder = folder }: DatasetOptions = {},
): Promise<DatasetOfKind<'ranking'>> {
  const index = await indexPhotos(photosFolder);
  const json = (await readdir(folder)).filter((name) => /^gaicd.*\.json$/i.test(name)).sort()[0];
  const labels = json === undefined ? textLabels(folder, signal) : jsonLabels(join(folder, json), signal);

  const photos: RankingPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const repairs: string[] = [];
  for await (const label of labels) {
    signal?.throwIfAborted();
    const found = await locatePhoto(index, label.id, missing, { split: label.split });
    const size = label.size ?? found.size;
    const rated = label.crops.filter(({ mos }) => mos !== DISCARDED_MOS);
    const nDiscarded = label.crops.length - rated.length;
    if (nDiscarded > 0) repairs.push(`${label.id}: left out ${counted(nDiscarded, 'crop')} rated -2 (discarded)`);
    const crops = rated
      .map(({ box, mos }) => ({ box: cleanBox(box, size, label.id, repairs), mos }))
      .filter((crop): crop is RatedCrop => crop.box !== undefined)
      .sort((a, b) => compareBoxes(a.box, b.box));
    if (crops.length === 0) repairs.push(`${label.id}: left the photo out, no rated crop`);
    else photos.push({ id: label.id, path: found.path, size, split: label.split ?? splitOf(found), crops });
  }
  return { kind: 'ranking', name: 'GAICD', folder, photos, missing, repairs };
}

/** Flat annotation folders leave the split to the photo's own folder. */
function splitOf({ path }: FoundPhoto): string | undefined {
  return path?.split(/[\\/]/).findLast((part) => SPLITS.includes(part));
}

async function* jsonLabels(path: string, signal?: AbortSignal): AsyncGenerator<GaicdLabel> {
  const labels = parseJson((await readDatasetFile(path, signal)).toString('utf8'), jsonSchema, path);
  for (const [id, label] of Object.entries(labels)) {
    if (label.crops_xyxy.length !== label.mos.length) {
      throw new FramewrightError(
        'DATASET_INVALID',
        `${path}, at ${id}: ${counted(label.crops_xyxy.length, 'crop')} but ${counted(label.mos.length, 'score')}`,
      );
    }
    const [width, height] = label.size_inferred;
    const crops = label.crops_xyxy.map((box, i) => ({ box, mos: label.mos[i]! }));
    yield { id, split: label.split, size: { width, height }, crops };
  }
}

async function* textLabels(folder: string, signal?: AbortSignal): AsyncGenerator<GaicdLabel> {
  const root = join(folder, 'annotations');
  const folders = [{ path: root, split: undefined }, ...SPLITS.map((split) => ({ path: join(root, split), split }))];
  let nFiles = 0;
  for (const { path, split } of folders) {
    if (!(await exists(path))) continue;
    for (const name of (await readdir(path)).filter((entry) => entry.endsWith('.txt')).sort()) {
      nFiles++;
      const file = join(path, name);
      const text = (await readDatasetFile(file, signal)).toString('utf8');
      yield { id: `${basename(name, '.txt')}.jpg`, split, size: undefined, crops: parseAnnotation(text, file) };
    }
  }
  if (nFiles === 0) {
    throw new FramewrightError('DATASET_INVALID', `${folder} has neither gaicd*.json nor annotations/*.txt`);
  }
}

/** One crop a line: `y1 x1 y2 x2 MOS`. */
export function parseAnnotation(text: string, file: string): RatedCrop[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const numbers = line.trim().split(/\s+/).map(Number);
    if (numbers.length !== 5 || numbers.some((n) => !Number.isFinite(n))) {
      throw new FramewrightError(
        'DATASET_INVALID',
        `${file}:${i + 1}: expected "y1 x1 y2 x2 MOS", got "${line.slice(0, 80)}"`,
      );
    }
    const [y1, x1, y2, x2, mos] = numbers as [number, number, number, number, number];
    const box: Box = [x1, y1, x2, y2];
    return [{ box, mos }];
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
