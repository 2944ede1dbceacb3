import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FramewrightError } from '../../base/errors.js';
import type { Box, Size } from '../../base/geometry.js';
import { cleanBox, fourNumbers } from './boxes.js';
import { parseJson, readDatasetFile } from './files.js';
import { readMat5, type MatValue } from './mat5.js';
import { indexPhotos, locatePhoto } from './photos.js';
import type { BoxesPhoto, DatasetOfKind, DatasetOptions, MissingPhoto } from './types.js';

const side = z.int().positive();
const withSizeSchema = z.object({ original_size: z.tuple([side, side]), crops_xyxy_original: z.array(fourNumbers) });
const cropsSchema = z.record(z.string(), z.union([z.array(fourNumbers), withSizeSchema]));

interface FlmsLabel {
  readonly id: string;
  /** Only some copies say what size the annotators saw; else it is the photo's. */
  readonly size: Size | undefined;
  readonly boxes: readonly Box[];
}

const FILES = ['crops.json', 'flms.json', '500_image_dataset.mat'] as const;

/**
 * FLMS (Fang et al., "Automatic Image Cropping using Visual Composition, Boundary Simplicity and Content Preservation
 * Models", 2014): about ten crops a photo. Reads `{name: [[x1, y1, x2, y2], ...]}`, the same with sizes, or the
 * original MATLAB file. Crops over an edge are clamped; inverted ones and failed annotators (negative) are left out.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readFlms(
  folder: string,
  { signal, photos: photosFolder = folder }: DatasetOptions = {},
): Promise<DatasetOfKind<'boxes'>> {
  const index = await indexPhotos(photosFolder);
  const path = await firstExisting(folder, FILES);
  const bytes = await readDatasetFile(path, signal);
  const labels = path.endsWith('.mat') ? labelsFromMat(bytes, path) : labelsFromJson(bytes.toString('utf8'), path);

  const photos: BoxesPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const repairs: string[] = [];
  for (const label of labels) {
    signal?.throwIfAborted();
    const found = await locatePhoto(index, label.id, missing);
    const size = label.size ?? found.size;
    const boxes = label.boxes
      .map((box) => (isFailed(box) ? dropFailed(box, label.id, repairs) : cleanBox(box, size, label.id, repairs)))
      .filter((box) => box !== undefined);
    if (boxes.length === 0) repairs.push(`${label.id}: left the photo out, no usable crop`);
    else photos.push({ id: label.id, path: found.path, size, split: undefined, boxes });
  }
  return { kind: 'boxes', name: 'FLMS', folder, photos, missing, repairs };
}

function isFailed(box: Box): boolean {
  return box.some((edge) => edge < 0);
}

function dropFailed(box: Box, id: string, repairs: string[]): undefined {
  repairs.push(`${id}: dropped a failed annotator [${box.join(', ')}]`);
}

async function firstExisting(folder: string, names: readonly string[]): Promise<string> {
  for (const name of names) {
    const path = join(folder, name);
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  throw new FramewrightError('DATASET_INVALID', `${folder} has none of ${names.join(', ')}; put the FLMS crops there`);
}

function labelsFromJson(text: string, path: string): FlmsLabel[] {
  return Object.entries(parseJson(text, cropsSchema, path)).map(([id, label]) =>
    Array.isArray(label)
      ? { id, size: undefined, boxes: label }
      : {
          id,
          size: { width: label.original_size[0], height: label.original_size[1] },
          boxes: label.crops_xyxy_original,
        },
  );
}

/** `img_gt`: an n x 1 struct (or n x 2 cell) array of file name and an m x 4 matrix of rows `[y1, x1, y2, x2]`. */
function labelsFromMat(bytes: Buffer, path: string): FlmsLabel[] {
  const table = readMat5(bytes, path).get('img_gt');
  return recordsOf(table, path).map((record, i) => {
    const where = `${path}: img_gt(${i + 1})`;
    const name = record.find((value) => value.kind === 'text');
    const matrix = record.find((value) => value.kind === 'numbers' && value.dims[1] === 4);
    if (name?.kind !== 'text' || matrix?.kind !== 'numbers') {
      throw new FramewrightError('DATASET_INVALID', `${where} holds no file name and m x 4 matrix`);
    }
    const { data } = matrix;
    const rows = matrix.dims[0] ?? 0;
    const boxes = Array.from({ length: rows }, (_, row): Box => {
      const [y1, x1, y2, x2] = [data[row]!, data[rows + row]!, data[2 * rows + row]!, data[3 * rows + row]!];
      return [x1, y1, x2, y2];
    });
    return { id: name.text, size: undefined, boxes };
  });
}

function recordsOf(table: MatValue | undefined, path: string): MatValue[][] {
  if (table?.kind === 'structs') return table.items.map((item) => Object.values(item));
  if (table?.kind === 'cells') {
    const rows = table.dims[0] ?? 0;
    return Array.from({ length: rows }, (_, row) => table.cells.filter((_cell, i) => i % rows === row));
  }
  throw new FramewrightError('DATASET_INVALID', `${path} has no struct or cell array named img_gt`);
}
