import { z } from 'zod';
import type { Box } from '../base/geometry.js';
import { BOX_KINDS, LINE_KINDS } from '../base/schema.js';
import type { DatasetKind, LabelledElement } from './datasets/types.js';

const coordinate = z.number();
const point = z.tuple([coordinate, coordinate]);
const four = z.tuple([coordinate, coordinate, coordinate, coordinate]);
const box = four.refine(([x1, y1, x2, y2]) => x1 < x2 && y1 < y2, 'a box needs x1 < x2 and y1 < y2');

const labelledElementSchema: z.ZodType<LabelledElement> = z.discriminatedUnion('type', [
  z.object({ type: z.enum(BOX_KINDS), box }),
  z.object({ type: z.enum(LINE_KINDS), line: four }),
  z.object({ type: z.literal('curved'), points: z.array(point).min(2) }),
  z.object({ type: z.literal('triangle'), points: z.array(point).length(3) }),
  z.object({ type: z.literal('vanishing_point'), lines: z.array(four).min(1) }),
]);

/** What a method said of a photo, in its label space, or why that cannot be used. As stored in a journal. */
export const predictionSchema = z.union([
  z.strictObject({ boxes: z.array(box).min(1) }),
  z.strictObject({ scores: z.array(z.number()) }),
  z.strictObject({ elements: z.array(labelledElementSchema) }),
  z.strictObject({ unusable: z.string() }),
]);

export interface BoxesPrediction {
  /** Best first. */
  readonly boxes: readonly Box[];
}
export interface ScoresPrediction {
  /** One for each box asked about, in their order. */
  readonly scores: readonly number[];
}
export interface ElementsPrediction {
  readonly elements: readonly LabelledElement[];
}
export interface Unusable {
  readonly unusable: string;
}
export type Prediction = BoxesPrediction | ScoresPrediction | ElementsPrediction | Unusable;

/** The function of a method that a data set of this kind asks. */
export const TASK_OF_KIND = {
  boxes: 'crop',
  ranking: 'rank',
  pairs: 'rank',
  elements: 'analyse',
  subjects: 'crop',
  places: 'crop',
} as const satisfies Record<DatasetKind, string>;
