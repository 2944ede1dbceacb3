import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { UnitBox } from '../../src/engines/rules/scoring/grid.js';

/** Side of the square grid a subject mask is kept on. training/teacher/label.py writes the same. */
export const MASK_SIDE = 64;

/** What every place of the largest crop of one ratio is worth. */
export interface RatioPlaces {
  /** The axis it moves along: 0 is x, 1 is y. */
  readonly axis: 0 | 1;
  /** Its length on that axis, as a share of the photo's side. */
  readonly length: number;
  /** At evenly spaced places, from left or top to right or bottom. About 1 is the best, 0.3 indifferent, below 0 not to be delivered. */
  readonly worth: readonly number[];
}

/** What the teacher of subjects and places (training/teacher) says of a photo. */
export interface PlaceLabels {
  /** MASK_SIDE x MASK_SIDE, 0..255; undefined where nobody looked. */
  readonly mask: Uint8Array | undefined;
  /** Undefined where there is no one subject. */
  readonly subject: UnitBox | undefined;
  /** By `width:height`. */
  readonly places: ReadonlyMap<string, RatioPlaces>;
}

const lineSchema = z.object({
  source: z.string(),
  mask: z.base64().nullable(),
  subject: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable(),
  places: z.record(
    z.string(),
    z.object({ axis: z.literal([0, 1]), length: z.number(), worth: z.array(z.number()).min(2) }),
  ),
});

/** By source. */
export async function readPlaces(file: string): Promise<Map<string, PlaceLabels>> {
  const labels = new Map<string, PlaceLabels>();
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const { source, mask, subject, places } = lineSchema.parse(JSON.parse(line));
    labels.set(source, {
      mask: mask === null ? undefined : Uint8Array.from(Buffer.from(mask, 'base64')),
      subject: subject ?? undefined,
      places: new Map(Object.entries(places)),
    });
  }
  return labels;
}

/** As a mirror shows it. */
export function mirroredPlaces({ mask, subject, places }: PlaceLabels): PlaceLabels {
  return {
    mask: mask?.map((_, i) => mask[i - (i % MASK_SIDE) + MASK_SIDE - 1 - (i % MASK_SIDE)]!),
    subject: subject && [1 - subject[2], subject[1], 1 - subject[0], subject[3]],
    places: new Map(
      [...places].map(([ratio, of]) => [ratio, of.axis === 0 ? { ...of, worth: [...of.worth].reverse() } : of]),
    ),
  };
}
