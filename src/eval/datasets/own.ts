import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { elementSchema } from '../../base/schema.js';
import { parseJsonLines, type JsonLine } from '../../files/json-lines-file.js';
import { cleanBox, compareBoxes, fourNumbers } from './boxes.js';
import { checkShape, readDatasetFile } from './files.js';
import { photoSize } from './photos.js';
import type {
  BoxesPhoto,
  Dataset,
  DatasetOptions,
  ElementsPhoto,
  JudgedPair,
  LabelledPhoto,
  MissingPhoto,
  PairsPhoto,
  RankingPhoto,
  RatedCrop,
} from './types.js';

const common = {
  /** Relative to the JSONL file. */
  photo: z.string().min(1),
  id: z.string().min(1).optional(),
  split: z.string().optional(),
  /** `[width, height]` the labels were made in; default: the photo's own. */
  size: z.tuple([z.int().positive(), z.int().positive()]).optional(),
};
const votes = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);
const lineSchemas = {
  boxes: z.strictObject({ ...common, boxes: z.array(fourNumbers).min(1) }),
  ranking: z.strictObject({ ...common, crops: z.array(z.strictObject({ box: fourNumbers, mos: z.number() })).min(1) }),
  pairs: z.strictObject({
    ...common,
    pairs: z.array(z.strictObject({ boxes: z.tuple([fourNumbers, fourNumbers]), votes })).min(1),
  }),
  elements: z.strictObject({ ...common, elements: z.array(elementSchema) }),
} as const;
type Kind = keyof typeof lineSchemas;
const KEY_OF_KIND = { boxes: 'boxes', ranking: 'crops', pairs: 'pairs', elements: 'elements' } as const;

/**
 * One's own photos: JSON lines `{"photo": "a.jpg", "boxes": [[x1, y1, x2, y2], ...]}`, or with `crops` (`{box, mos}`),
 * `pairs` (`{boxes: [a, b], votes: [n, m]}`) or `elements` instead of `boxes`, the same in every line; `id`, `split` and
 * `size` are optional. `path` is the file, or a folder that has a `labels.jsonl`.
 * @throws FramewrightError `DATASET_INVALID` naming file, line and key.
 */
export async function readOwn(path: string, { signal }: DatasetOptions = {}): Promise<Dataset> {
  const isFolder = await stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(path, 'labels.jsonl') : path;
  const folder = dirname(resolve(file));
  const text = (await readDatasetFile(file, signal)).toString('utf8');
  const notJson = (from: string, cause: unknown): FramewrightError =>
    new FramewrightError('DATASET_INVALID', `${from} is not JSON: ${messageOf(cause)}`, { cause });
  const lines = [...parseJsonLines(text, file, notJson)];
  if (lines.length === 0) throw new FramewrightError('DATASET_INVALID', `${file} has no lines`);
  const kind = kindOf(lines[0]!);
  const repairs: string[] = [];
  const missing: MissingPhoto[] = [];
  const locate = (line: z.infer<(typeof lineSchemas)[Kind]>): Promise<LabelledPhoto> => {
    signal?.throwIfAborted();
    return locateOwn(line, folder, missing);
  };
  const base = { name: 'own photos', folder, missing, repairs };

  if (kind === 'boxes') {
    const photos: BoxesPhoto[] = [];
    for (const { value, from: where } of lines) {
      const line = checkShape(value, lineSchemas.boxes, where);
      const photo = await locate(line);
      const boxes = line.boxes
        .map((box) => cleanBox(box, photo.size, where, repairs))
        .filter((box) => box !== undefined);
      if (boxes.length > 0) photos.push({ ...photo, boxes });
    }
    return { kind, ...base, photos: distinct(photos, file) };
  }
  if (kind === 'ranking') {
    const photos: RankingPhoto[] = [];
    for (const { value, from: where } of lines) {
      const line = checkShape(value, lineSchemas.ranking, where);
      const photo = await locate(line);
      const crops = line.crops
        .map(({ box, mos }) => ({ box: cleanBox(box, photo.size, where, repairs), mos }))
        .filter((crop): crop is RatedCrop => crop.box !== undefined)
        .sort((a, b) => compareBoxes(a.box, b.box));
      if (crops.length > 0) photos.push({ ...photo, crops });
    }
    return { kind, ...base, photos: distinct(photos, file) };
  }
  if (kind === 'pairs') {
    const photos: PairsPhoto[] = [];
    for (const { value, from: where } of lines) {
      const line = checkShape(value, lineSchemas.pairs, where);
      const photo = await locate(line);
      const pairs = line.pairs.flatMap((pair): JudgedPair[] => {
        const first = cleanBox(pair.boxes[0], photo.size, where, repairs);
        const second = cleanBox(pair.boxes[1], photo.size, where, repairs);
        if (pair.votes[0] === pair.votes[1]) repairs.push(`${where}: left out a pair with as many votes for either`);
        return first && second && pair.votes[0] !== pair.votes[1]
          ? [{ boxes: [first, second], votes: pair.votes }]
          : [];
      });
      if (pairs.length > 0) photos.push({ ...photo, pairs });
    }
    return { kind, ...base, photos: distinct(photos, file) };
  }
  const photos: ElementsPhoto[] = [];
  for (const { value, from: where } of lines) {
    const line = checkShape(value, lineSchemas.elements, where);
    photos.push({ ...(await locate(line)), elements: line.elements, otherClasses: [] });
  }
  return { kind, ...base, photos: distinct(photos, file) };
}

function kindOf({ value, from: where }: JsonLine): Kind {
  const keys = checkShape(value, z.looseObject({}), where);
  const kind = (Object.keys(KEY_OF_KIND) as Kind[]).find((candidate) => KEY_OF_KIND[candidate] in keys);
  if (kind) return kind;
  throw new FramewrightError(
    'DATASET_INVALID',
    `${where}: none of boxes, crops, pairs, elements; label the photo with one`,
  );
}

async function locateOwn(
  line: { photo: string; id?: string | undefined; split?: string | undefined; size?: [number, number] | undefined },
  folder: string,
  missing: MissingPhoto[],
): Promise<LabelledPhoto> {
  const path = isAbsolute(line.photo) ? line.photo : join(folder, line.photo);
  const id = line.id ?? line.photo;
  const labelled: Size | undefined = line.size && { width: line.size[0], height: line.size[1] };
  try {
    const size = labelled ?? (await photoSize(path));
    if (labelled) await photoSize(path);
    return { id, path, size, split: line.split };
  } catch (error) {
    missing.push({ id, reason: `${path} cannot be read: ${messageOf(error)}` });
    return { id, path: undefined, size: labelled, split: line.split };
  }
}

function distinct<Photo extends LabelledPhoto>(photos: readonly Photo[], file: string): readonly Photo[] {
  const seen = new Set<string>();
  for (const { id } of photos) {
    if (seen.has(id))
      throw new FramewrightError('DATASET_INVALID', `${file}: two lines are for ${id}; give them an "id"`);
    seen.add(id);
  }
  return photos;
}
