import { z } from 'zod';
import { FramewrightError, messageOf } from '../base/errors.js';
import { readTextFile } from '../files/json-file.js';
import { writeFileAtomic } from '../files/write.js';
import { PARTS } from './descriptor.js';
import type { TowerIdentity } from './tower.js';

/** The crops people made of one photo, and what it looks like. */
export interface IndexedPhoto {
  /** As it was found when the index was built; a label, not a path to be opened. */
  readonly name: string;
  /** `[x1, y1, x2, y2]` as shares of the photo's sides; at least one. */
  readonly boxes: readonly (readonly [number, number, number, number])[];
  /** [PARTS * PARTS * nEmbd], without what all photos have in common; any length. */
  readonly vector: Int8Array;
}

/** What an index file holds. */
export interface IndexContents {
  readonly tower: TowerIdentity;
  /** [nEmbd]: to be taken from every part of a photo's description before it is compared. */
  readonly common: Float32Array;
  readonly photos: readonly IndexedPhoto[];
}

const share = z.number().min(0).max(1);
const boxSchema = z
  .tuple([share, share, share, share])
  .refine(([x1, y1, x2, y2]) => x1 < x2 && y1 < y2, 'a box needs x1 < x2 and y1 < y2');
const side = z.int().positive();
const fileSchema = z.strictObject({
  format: z.literal('framewright-crop-index'),
  schemaVersion: z.literal(1),
  tower: z.strictObject({
    name: z.string(),
    mmprojSha256: z.string().regex(/^[\da-f]{64}$/),
    minPixels: side,
    maxPixels: side,
    positionRamps: z.boolean(),
  }),
  common: z.base64(),
  photos: z.array(z.strictObject({ name: z.string(), boxes: z.array(boxSchema).min(1), vector: z.base64() })).min(1),
});

/** Some hundred thousand photos of a small tower. */
const MOST_BYTES = 512 * 2 ** 20;

/** @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_TOO_LARGE; DATASET_INVALID for what is no index */
export async function readIndexFile(file: string): Promise<IndexContents> {
  const refuse = (why: string, cause?: unknown): FramewrightError =>
    new FramewrightError(
      'DATASET_INVALID',
      `${file} is no index of crops: ${why}; make one with framewright index build`,
      {
        cause,
      },
    );
  const text = await readTextFile(file, 'index of crops', MOST_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
  const read = fileSchema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw refuse(`${issue!.path.join('.') || 'it'}: ${issue!.message}`, read.error);
  }
  const { tower, common: commonText, photos } = read.data;
  const common = floatsOf(commonText);
  const nWanted = PARTS ** 2 * common.length;
  return {
    tower,
    common,
    photos: photos.map(({ name, boxes, vector: vectorText }) => {
      const vector = Int8Array.from(Buffer.from(vectorText, 'base64'));
      if (vector.length !== nWanted || nWanted === 0) {
        throw refuse(`the vector of ${name} has ${vector.length} numbers where ${nWanted} belong`);
      }
      return { name, boxes, vector };
    }),
  };
}

/** Writes it whole or not at all; the same contents are the same bytes. @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE */
export async function writeIndexFile(
  file: string,
  { tower, common, photos }: IndexContents,
  options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const lines = photos.map(({ name, boxes, vector }) => {
    const rounded = boxes.map((box) => box.map((edge) => Number(edge.toFixed(4))));
    return JSON.stringify({ name, boxes: rounded, vector: Buffer.from(vector).toString('base64') });
  });
  const commonText = Buffer.from(common.buffer, common.byteOffset, common.byteLength).toString('base64');
  const head = JSON.stringify({ format: 'framewright-crop-index', schemaVersion: 1, tower, common: commonText });
  // A line a photo, for whoever compares two.
  await writeFileAtomic(file, Buffer.from(`${head.slice(0, -1)},"photos":[\n${lines.join(',\n')}\n]}\n`), options);
}

/** Little-endian, as all machines we run on have them. */
function floatsOf(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT));
}

/** A vector in eighths of a kilobyte instead of halves: its direction is all that counts, and stays within half a degree. */
export function quantised(vector: Float32Array): Int8Array {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Int8Array.from(vector, (value) => (largest > 0 ? Math.round((127 * value) / largest) : 0));
}
