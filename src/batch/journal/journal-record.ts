import { z } from 'zod';
import { cropResultSchema, refusedTargetSchema, type CropResult, type RefusedTarget } from '../../base/schema.js';
import type { SourceState } from './source-state.js';

/** Bumped when a record changes its meaning: older ones are then read no more. */
export const VERSION = 1;

/** A file a run has made, with the hash of its bytes. */
export interface MadeFile {
  readonly path: string;
  readonly sha256: string;
}

/** What there is to note of a photo that is done. */
export interface FinishedPhoto {
  readonly files: readonly MadeFile[];
  /** The names its files were to have, those of crops left for review included. */
  readonly planned: readonly string[];
  readonly source: SourceState;
  readonly results: readonly CropResult[];
  /** What no crop of the photo meets; absent where that is nothing. */
  readonly refused?: readonly RefusedOfPlan[];
}

/** With its place among the targets planned, from 0. */
export type RefusedOfPlan = RefusedTarget & { readonly nth: number };

interface Begun {
  readonly version: typeof VERSION;
  readonly photo: string;
  readonly key: string;
  readonly files: readonly MadeFile[];
}
export type WritingRecord = Begun & { readonly what: 'writing' };
export type DoneRecord = Begun & FinishedPhoto & { readonly what: 'done' };

/** Before a file about a run as a whole (a report, a contact sheet, a review list) takes its name. */
export interface SummaryRecord {
  readonly version: typeof VERSION;
  readonly what: 'summary';
  readonly files: readonly MadeFile[];
}

/** A line of a journal; its paths are relative to the journal's place. */
export type JournalRecord = WritingRecord | DoneRecord | SummaryRecord;

/** Whether a line is of a journal of crops at all; others, of evaluations, are kept in the same form. */
export function isOfAnyVersion(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'version' in value && 'what' in value;
}

const pathSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'), 'a path has no NUL');
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const filesSchema = z.array(z.object({ path: pathSchema, sha256: sha256Schema }));
const begunSchema = z.object({
  version: z.literal(VERSION),
  photo: pathSchema,
  key: sha256Schema,
  files: filesSchema,
});

const recordSchema = z.discriminatedUnion('what', [
  begunSchema.extend({ what: z.literal('writing') }),
  begunSchema.extend({
    what: z.literal('done'),
    planned: z.array(pathSchema),
    source: z.object({
      size: z.int().min(0),
      mtimeMs: z.number(),
      sha256: sha256Schema,
      withoutCrop: sha256Schema.optional(),
    }),
    results: z.array(cropResultSchema).min(1),
    refused: z.array(refusedTargetSchema.extend({ nth: z.int().min(0) })).optional(),
  }),
  z.object({ version: z.literal(VERSION), what: z.literal('summary'), files: filesSchema }),
]);

/** A checksum keeps out lines torn by a crash, not those somebody has made: each is looked at whole. */
export function isRecord(value: unknown): value is JournalRecord {
  return recordSchema.safeParse(value).success;
}
