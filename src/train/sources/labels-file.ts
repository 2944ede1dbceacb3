import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Box, Size } from '../../base/geometry.js';
import { boxSchema, elementSchema } from '../../base/schema.js';
import { parseAspect } from '../../crop/aspect.js';
import type { Target } from '../../crop/target.js';
import { readJsonLines } from '../../files/json-lines-file.js';
import { photoSize } from '../../eval/datasets/photos.js';
import { SPLITS, type PreferredPair, type Problem, type RatedBox, type TastePhoto, type TasteSource } from './types.js';

/** A line of one's own training data: what people said of one photo. Boxes are `[x1, y1, x2, y2]`, x2 and y2 exclusive. */
export const tasteLineSchema = z.strictObject({
  /** The photo's file, relative to this file or to the folder of photos. */
  photo: z.string().min(1),
  /** What it is called in summaries. Default: `photo`. */
  id: z.string().min(1).optional(),
  /** Trained on, or kept to measure with. Default: by lot, with its near duplicates. */
  split: z.enum(SPLITS).optional(),
  /** Width and height of the picture the labels were made in. Default: the upright photo's own. */
  size: z.tuple([z.int().positive(), z.int().positive()]).optional(),
  /** The ratio its crops are for, as `--aspect` takes it. Default: any. */
  aspect: z.string().min(1).optional(),
  /** Good crops, the best first. */
  boxes: z.array(boxSchema).optional(),
  /** Rated crops: the higher the mean opinion score, the better. */
  crops: z.array(z.strictObject({ box: boxSchema, mos: z.number() })).optional(),
  /** Of two crops the preferred one, and the other. */
  pairs: z.array(z.strictObject({ chosen: boxSchema, rejected: boxSchema })).optional(),
  /** The composition. */
  elements: z.array(elementSchema).optional(),
});
type TasteLine = z.infer<typeof tasteLineSchema>;

const EXAMPLE = '{"photo": "a.jpg", "boxes": [[x1, y1, x2, y2]]}, or with crops, pairs or elements';
/** Of mean opinion scores from 1 to 5. */
const RATING_GAP = 1;

/**
 * Reads JSON Lines of one's own. A box outside its photo is left out and named; so is a photo that is missing.
 *
 * @param photos the folder its photos are in, where they are not beside the file
 * @throws FramewrightError USAGE with file and line; INPUT_NOT_FOUND
 */
export async function readTasteLines(
  file: string,
  photos: string | undefined,
  signal?: AbortSignal,
): Promise<TasteSource> {
  const labels = (await isFolder(file)) ? path.join(file, 'labels.jsonl') : file;
  const folder = photos ?? path.dirname(labels);
  const found: TastePhoto[] = [];
  const missing: Problem[] = [];
  const repairs: string[] = [];
  const ids = new Set<string>();
  for (const { value, from, refuse } of await readJsonLines(labels, {
    noun: 'training line',
    example: EXAMPLE,
    schema: tasteLineSchema,
  })) {
    signal?.throwIfAborted();
    const id = value.id ?? value.photo;
    if (ids.has(id)) throw refuse(`an earlier line is for ${id} too; put both in one line or give them an "id"`);
    ids.add(id);
    const file = path.isAbsolute(value.photo) ? value.photo : path.join(folder, value.photo);
    const size = await photoSize(file).catch(() => undefined);
    if (!size) {
      missing.push({ id, reason: `${file} is missing or no photo` });
      continue;
    }
    const photo = photoOf(value, { id, file, size, from, target: targetOf(value, refuse) }, repairs);
    if (photo.crops.length + photo.pairs.length > 0 || photo.elements) found.push(photo);
    else repairs.push(`${from}: left ${id} out, it has no usable crop, pair or element`);
  }
  return { name: 'own photos', photos: found, ratingGap: RATING_GAP, missing, repairs };
}

interface Found {
  readonly id: string;
  readonly file: string;
  readonly size: Size;
  readonly from: string;
  readonly target: Target;
}

function targetOf({ aspect }: TasteLine, refuse: (why: string) => Error): Target {
  try {
    return aspect === undefined ? {} : { aspect: parseAspect(aspect) };
  } catch (error) {
    throw refuse(messageOf(error));
  }
}

function photoOf(line: TasteLine, { id, file, size, from, target }: Found, repairs: string[]): TastePhoto {
  const space: Size = line.size ? { width: line.size[0], height: line.size[1] } : size;
  const inside = (box: Box): boolean => {
    const isIn = box[0] >= 0 && box[1] >= 0 && box[2] <= space.width && box[3] <= space.height;
    if (!isIn) repairs.push(`${from}: the box [${box.join(', ')}] is outside ${space.width}x${space.height} px`);
    return isIn;
  };
  const rated: RatedBox[] = (line.crops ?? []).map(({ box, mos }) => ({ box, rating: mos }));
  const best = Math.max(RATING_GAP, ...rated.map(({ rating }) => rating));
  // Crops without a rating are as good as any rated one, in their order.
  const good = (line.boxes ?? []).map((box, i): RatedBox => ({ box, rating: best - i * 1e-6 }));
  const pairs: PreferredPair[] = (line.pairs ?? []).filter(({ chosen, rejected }) => {
    if (chosen.join() !== rejected.join()) return inside(chosen) && inside(rejected);
    repairs.push(`${from}: a pair of the same crop twice is a tie`);
    return false;
  });
  return {
    id,
    path: file,
    space,
    ...(target.aspect && { target }),
    ...(line.split && { split: line.split }),
    ...(line.elements && line.elements.length > 0 && { elements: line.elements }),
    crops: [...good, ...rated].filter(({ box }) => inside(box)),
    pairs,
  };
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    throw new FramewrightError(
      'INPUT_NOT_FOUND',
      `${file} does not exist: name a file of training lines or its folder`,
    );
  }
}
