import path from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { readTextFile } from '../../files/json-file.js';
import { IMAGE_TAG } from '../written-conversation.js';
import { CELL_PX, type ImagePlace } from './pieces.js';

/** What is learnt: answers as they are, or which of two is the better one. */
export type TrainKind = 'sft' | 'dpo';

export interface Turn {
  readonly from: 'human' | 'gpt';
  readonly value: string;
}

/** A conversation whose answers are learnt. */
export interface SftRecord {
  readonly turns: readonly Turn[];
  readonly images: readonly ImagePlace[];
  readonly system: string | undefined;
}

/** A conversation that ends with a human turn, and two answers to it. */
export interface PreferenceRecord extends SftRecord {
  readonly chosen: string;
  readonly rejected: string;
}

/** Hundreds of thousands of conversations of some kilobytes. */
const MAX_BYTES = 2 ** 30;

const turnSchema = z.object({ from: z.enum(['human', 'gpt']), value: z.string() });
const answerSchema = z.object({ from: z.literal('gpt'), value: z.string().min(1) });
const sftSchema = z.object({
  conversations: z.array(turnSchema).min(2),
  images: z.array(z.string().min(1)).default([]),
  system: z.string().optional(),
});
const preferenceSchema = sftSchema.extend({
  conversations: z.array(turnSchema).min(1),
  chosen: answerSchema,
  rejected: answerSchema,
});

/** A record with where it stands, for messages. */
export interface Placed<T> {
  readonly record: T;
  /** `sft.json[3]` */
  readonly from: string;
}

/**
 * The records of one file of an export folder, with the images' sizes read and checked.
 *
 * @throws FramewrightError DATASET_INVALID, INPUT_NOT_FOUND for a file or photo that is not there, INPUT_CORRUPT; the
 * signal's reason
 */
export async function readSftRecords(folder: string, name: string, signal?: AbortSignal): Promise<Placed<SftRecord>[]> {
  const sizes = new ImageSizes(folder);
  return mapRecords(folder, name, sftSchema, signal, async (each) => {
    if (!each.conversations.some(({ from }) => from === 'gpt')) throw invalid('it has no answer of gpt');
    return { turns: each.conversations, images: await sizes.placesOf(each), system: each.system };
  });
}

/** As readSftRecords. */
export async function readPreferenceRecords(
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<Placed<PreferenceRecord>[]> {
  const sizes = new ImageSizes(folder);
  return mapRecords(folder, name, preferenceSchema, signal, async (each) => {
    const { chosen, rejected } = each;
    const images = await sizes.placesOf(each);
    return { turns: each.conversations, images, system: each.system, chosen: chosen.value, rejected: rejected.value };
  });
}

async function mapRecords<Raw extends { conversations: readonly Turn[]; images: readonly string[] }, T>(
  folder: string,
  name: string,
  schema: z.ZodType<Raw>,
  signal: AbortSignal | undefined,
  make: (raw: Raw) => Promise<T>,
): Promise<Placed<T>[]> {
  const file = path.join(folder, name);
  const result: Placed<T>[] = [];
  for (const [i, value] of (await readArray(file)).entries()) {
    signal?.throwIfAborted();
    const from = `${file}[${i}]`;
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new FramewrightError('DATASET_INVALID', `${from}: ${firstIssue(parsed.error)}`);
    try {
      result.push({ record: await make(parsed.data), from });
    } catch (error) {
      if (!(error instanceof FramewrightError)) throw error;
      throw new FramewrightError(error.code, `${from}: ${error.message}`, { cause: error });
    }
  }
  return result;
}

async function readArray(file: string): Promise<readonly unknown[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readTextFile(file, 'training data', MAX_BYTES));
  } catch (error) {
    if (error instanceof FramewrightError) throw error;
    throw new FramewrightError('DATASET_INVALID', `${file} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!Array.isArray(value)) throw new FramewrightError('DATASET_INVALID', `${file} is no JSON array of records`);
  return value as unknown[];
}

function firstIssue(error: z.ZodError): string {
  const { path: at, message } = error.issues[0]!;
  return at.length === 0 ? message : `${at.join('.')}: ${message}`;
}

function invalid(what: string): FramewrightError {
  return new FramewrightError('DATASET_INVALID', what);
}

/** Photos come back in many records: each file's header is read once. */
class ImageSizes {
  readonly #folder: string;
  readonly #sizes = new Map<string, Promise<Size>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async placesOf(raw: { conversations: readonly Turn[]; images: readonly string[] }): Promise<ImagePlace[]> {
    const nTags = raw.conversations.reduce((sum, { value }) => sum + value.split(IMAGE_TAG).length - 1, 0);
    if (nTags !== raw.images.length)
      throw invalid(`its turns hold ${nTags} ${IMAGE_TAG} and it names ${raw.images.length} images`);
    return Promise.all(
      raw.images.map(async (name) => {
        const file = path.join(this.#folder, name);
        let size = this.#sizes.get(file);
        if (!size) this.#sizes.set(file, (size = frameOf(file)));
        return { file, frame: await size };
      }),
    );
  }
}

async function frameOf(file: string): Promise<Size> {
  let size: { width?: number; height?: number };
  try {
    size = await sharp(file).metadata();
  } catch (error) {
    const missing = messageOf(error).includes('missing');
    throw new FramewrightError(
      missing ? 'INPUT_NOT_FOUND' : 'INPUT_CORRUPT',
      missing
        ? `the photo ${file} is not there: export again, or copy the whole folder`
        : `cannot read ${file}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const { width = 0, height = 0 } = size;
  if (width === 0 || height === 0 || width % CELL_PX !== 0 || height % CELL_PX !== 0)
    throw invalid(
      `the photo ${file} is ${width} x ${height}; a model's frame has sides that are multiples of ${CELL_PX}`,
    );
  return { width, height };
}
