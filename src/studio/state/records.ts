import { z } from 'zod';
import { boxSchema, cropResultSchema } from '../../base/schema.js';
import { targetKeySchema } from '../api.js';

/** Bumped when a record changes its meaning: older ones are then read no more. */
export const VERSION = 1;

const base = { version: z.literal(VERSION) };
/** Below the folder, with slashes. */
const photo = z.string().min(1).max(4096);
const sizeSchema = z.object({ widthPx: z.int().positive(), heightPx: z.int().positive() });

const turnSchema = z.object({ angleDeg: z.number(), upright: sizeSchema });

/** A crop somebody made; of the straight photo, if there is a turn. */
export const ownCropSchema = z.object({
  box: boxSchema,
  by: z.enum(['picked', 'hand']),
  photo: sizeSchema,
  turn: turnSchema.optional(),
});
export type OwnCrop = z.infer<typeof ownCropSchema>;

const recordSchema = z.discriminatedUnion('what', [
  /** The engine has cropped a photo. */
  z.object({ ...base, what: z.literal('cropped'), photo, target: targetKeySchema, result: cropResultSchema }),
  /** A person has made a crop, or gone back to the engine's (null). */
  z.object({ ...base, what: z.literal('edit'), photo, target: targetKeySchema, crop: ownCropSchema.nullable() }),
  z.object({ ...base, what: z.literal('undo') }),
  z.object({ ...base, what: z.literal('redo') }),
  /** Files that hold a crop; relative to the folder where they are below it. */
  z.object({
    ...base,
    what: z.literal('saved'),
    photo,
    target: targetKeySchema,
    box: boxSchema,
    /** Degrees clockwise that the photo was straightened by; absent: none. */
    straighten: z.number().optional(),
    files: z.array(z.object({ path: z.string().min(1), sha256: z.string() })),
  }),
]);

/** A line of the studio's log: all that was done, in order. */
export type StudioRecord = z.infer<typeof recordSchema>;

/** Undefined for what is none of ours. */
export function readRecord(value: unknown): StudioRecord | undefined {
  return recordSchema.safeParse(value).data;
}
