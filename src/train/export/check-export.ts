import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { photoSize } from '../../eval/datasets/photos.js';
import {
  datasetInfoSchema,
  dpoRecordSchema,
  EXPORT_FILES,
  exportFactsSchema,
  sftRecordSchema,
  type DpoRecord,
  type ExportFacts,
  type SftRecord,
} from './export-schema.js';
import { SPLITS, type Split } from '../sources/types.js';

/** What `checkExport` has read. */
export interface CheckedExport {
  readonly facts: ExportFacts;
  readonly sft: Readonly<Record<Split, readonly SftRecord[]>>;
  readonly dpo: Readonly<Record<Split, readonly DpoRecord[]>>;
}

/** `[x1,y1,x2,y2]`, or a point of a curve or triangle, wherever an answer or a question has it. */
const COORDINATES = /\[(\d+(?:,\d+)+)\]/g;

/**
 * Reads an export folder and holds it to its format: every file's shape, as many `<image>` tags as images, every image
 * there with the sides its frame has, every coordinate inside it, counts as the facts say.
 *
 * @throws FramewrightError DATASET_INVALID naming file and record
 */
export async function checkExport(folder: string): Promise<CheckedExport> {
  const facts = await readPart(folder, EXPORT_FILES.facts, exportFactsSchema);
  await readPart(folder, EXPORT_FILES.info, datasetInfoSchema);
  const sizes = new Map<string, Size>();
  const sizeOf = async (image: string): Promise<Size> => {
    const known = sizes.get(image);
    if (known) return known;
    const file = path.join(folder, image);
    if (path.relative(folder, file).startsWith('..')) throw invalid(`${image} is outside the folder ${folder}`);
    const size = await photoSize(file).catch((error: unknown) => {
      throw invalid(`the image ${file} cannot be read: ${messageOf(error)}`);
    });
    const { cellPx } = facts.pixelBudget;
    if (size.width % cellPx !== 0 || size.height % cellPx !== 0)
      throw invalid(`${file} is ${size.width}x${size.height} px: no frame, whose sides are multiples of ${cellPx}`);
    sizes.set(image, size);
    return size;
  };
  const check = async (where: string, record: SftRecord | DpoRecord): Promise<void> => {
    const images = await Promise.all(record.images.map(sizeOf));
    const [{ width, height }, ...others] = images as [Size, ...Size[]];
    if (others.some((other) => other.width !== width || other.height !== height))
      throw invalid(`${where}: its images have different sizes`);
    const answers = 'chosen' in record ? [record.chosen, record.rejected] : [];
    for (const { value } of [...record.conversations, ...answers]) {
      for (const [text, numbers] of value.matchAll(COORDINATES)) {
        const isInside = numbers!.split(',').every((n, i) => Number(n) <= (i % 2 === 0 ? width : height));
        if (!isInside) throw invalid(`${where}: ${text} is outside its image of ${width}x${height} px`);
      }
    }
  };
  const read = async <T extends SftRecord | DpoRecord>(file: string, schema: z.ZodType<T>): Promise<T[]> => {
    const records = await readPart(folder, file, schema.array());
    for (const [i, record] of records.entries()) await check(`${file}, record ${i + 1}`, record);
    return records;
  };
  const sft = { train: [] as SftRecord[], heldout: [] as SftRecord[] };
  const dpo = { train: [] as DpoRecord[], heldout: [] as DpoRecord[] };
  for (const split of SPLITS) {
    sft[split] = await read(EXPORT_FILES.sft[split], sftRecordSchema);
    dpo[split] = await read(EXPORT_FILES.dpo[split], dpoRecordSchema);
    const counted = facts.counts[split];
    if (counted.sft !== sft[split].length || counted.dpo !== dpo[split].length)
      throw invalid(`${EXPORT_FILES.facts} counts other records of ${split} than there are`);
  }
  refuseShared(sft, dpo);
  return { facts, sft, dpo };
}

/** No photo is trained on and measured with. */
function refuseShared(sft: CheckedExport['sft'], dpo: CheckedExport['dpo']): void {
  const imagesOf = (split: Split): Set<string> =>
    new Set([...sft[split], ...dpo[split]].flatMap(({ images }) => images));
  const heldOut = imagesOf('heldout');
  const shared = [...imagesOf('train')].find((image) => heldOut.has(image));
  if (shared !== undefined) throw invalid(`${shared} is trained on and held out`);
}

async function readPart<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const file = path.join(folder, name);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw invalid(`${file} cannot be read: ${messageOf(error)}; name a folder that framewright train export has made`);
  }
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const { path: at, message } = error.issues[0]!;
  throw invalid(`${file} is wrong at ${at.map(String).join(' > ')}: ${message}`);
}

function invalid(message: string): FramewrightError {
  return new FramewrightError('DATASET_INVALID', message);
}
