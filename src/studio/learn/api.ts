// What the server tells the page that explains how crops are found. Rectangles are in oriented photo pixels.
import { z } from 'zod';
import type { Size } from '../../base/geometry.js';
import { ENGINES, type CropResult } from '../../base/schema.js';
import type { DrawnElement } from '../think/api.js';

export type { DrawnElement };

/** A photo that comes with the package. */
export interface ExamplePhoto {
  readonly id: string;
  readonly name: string;
}

/** GET /studio/api/learn/:id */
export const learnRequestSchema = z.strictObject({
  engine: z.enum(ENGINES),
  /** Default: any shape. */
  aspect: z.string().max(40).optional(),
});

/** One photo cropped by one engine. */
export interface EngineAnswer {
  readonly result: CropResult;
  /** The composition it saw, for a view box of `drawing`. */
  readonly elements: readonly DrawnElement[];
  readonly drawing: Size;
}

const figureSchema = z.object({
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

/** What of an evaluation is shown; the photos are not. */
export const evaluationSchema = z.object({
  schemaVersion: z.literal(1),
  createdAt: z.string(),
  dataset: z.object({ name: z.string(), kind: z.string(), split: z.string().nullable(), nPhotos: z.int() }),
  measures: z.array(
    z.object({ id: z.string(), label: z.string(), group: z.string(), better: z.enum(['higher', 'lower']) }),
  ),
  methods: z.array(
    z.object({
      name: z.string(),
      sweeps: z
        .array(z.object({ parameter: z.string(), value: z.number(), label: z.string().optional(), series: z.string() }))
        .optional(),
      ablation: z.object({ of: z.string(), change: z.string() }).optional(),
      nUnusable: z.int(),
      figures: z.record(z.string(), figureSchema),
    }),
  ),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

/** A file of `framewright eval --out`, or what `--json` printed; its photos are left out. */
export interface EvaluationFile {
  readonly name: string;
  readonly result?: Evaluation;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** One step of a training run; null where it was not measured. */
export interface TrainingRow {
  readonly step: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** DPO: mean reward margin. */
  readonly margin: number | null;
  readonly heldOutLoss: number | null;
  readonly heldOutMargin: number | null;
  readonly heldOutPreferred: number | null;
}

/** The curves of a folder that `framewright train dpo` or `train sft` wrote. */
export interface TrainingRun {
  readonly name: string;
  readonly rows: readonly TrainingRow[];
  readonly problem?: string;
}

/** GET /studio/api/learn */
export interface FiguresAnswer {
  readonly evaluations: readonly EvaluationFile[];
  readonly trainings: readonly TrainingRun[];
}
