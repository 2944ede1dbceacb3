import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FramewrightError } from '../../base/errors.js';
import type { Box, Point } from '../../base/geometry.js';
import { checkShape, parseJson, readDatasetFile } from './files.js';
import { indexPhotos, locatePhoto } from './photos.js';
import type { DatasetOfKind, DatasetOptions, ElementsPhoto, LabelledElement, MissingPhoto } from './types.js';

/** Coordinates are 0..1023 along both sides of every photo, whatever its shape. */
const LABEL_SPACE = { width: 1024, height: 1024 } as const;
const OTHER_CLASSES = ['radial', 'pattern', 'fill_the_frame', 'none'];
const BOX_CLASSES = ['center', 'rule_of_thirds', 'golden_ratio'] as const;
const LINE_CLASSES = ['horizontal', 'vertical', 'diagonal', 'symmetric'] as const;

const coordinate = z.number().min(0).max(1023);
const four = z.tuple([coordinate, coordinate, coordinate, coordinate]);
const six = z.tuple([coordinate, coordinate, coordinate, coordinate, coordinate, coordinate]);
const polyline = z
  .array(coordinate)
  .min(4)
  .refine((numbers) => numbers.length % 2 === 0, 'a curve needs an x and a y for each point');
/** A class without shapes is `[]`, in seven photos `{}`. */
const shapesSchema = z.union([z.array(z.array(z.number())), z.strictObject({}).transform((): number[][] => [])]);
const fileSchema = z.record(z.string(), z.record(z.string(), shapesSchema));
const splitSchema = z.record(z.string(), z.array(z.string()));

/**
 * CADB's composition elements (Zhang et al., "Image Composition Assessment with Saliency-augmented Multi-pattern
 * Pooling", 2021), of its thirteen classes the ten of `schema.ts`; `split.json` is read where it is there. A
 * photo's vanishing-point segments are one element.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readCadb(
  folder: string,
  { signal, photos: photosFolder = folder }: DatasetOptions = {},
): Promise<DatasetOfKind<'elements'>> {
  const index = await indexPhotos(photosFolder);
  const path = join(folder, 'composition_elements.json');
  const labels = parseJson((await readDatasetFile(path, signal)).toString('utf8'), fileSchema, path);
  const splits = await readSplits(join(folder, 'split.json'), signal);

  const photos: ElementsPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const repairs: string[] = [];
  for (const [id, classes] of Object.entries(labels)) {
    signal?.throwIfAborted();
    const found = await locatePhoto(index, id, missing);
    const elements = Object.entries(classes).flatMap(([name, shapes]) =>
      elementsOf(name, shapes, `${path}, at ${id} > ${name}`, id, repairs),
    );
    const otherClasses = Object.keys(classes).filter((name) => OTHER_CLASSES.includes(name));
    photos.push({ id, path: found.path, size: LABEL_SPACE, split: splits.get(id), elements, otherClasses });
  }
  return { kind: 'elements', name: 'CADB', folder, photos, missing, repairs };
}

function elementsOf(name: string, shapes: number[][], where: string, id: string, repairs: string[]): LabelledElement[] {
  if (OTHER_CLASSES.includes(name)) return [];
  const boxClass = BOX_CLASSES.find((known) => known === name);
  if (boxClass) {
    return shapes.map((shape) => ({ type: boxClass, box: orderCorners(checkShape(shape, four, where), id, repairs) }));
  }
  const lineClass = LINE_CLASSES.find((known) => known === name);
  if (lineClass) return shapes.map((shape) => ({ type: lineClass, line: checkShape(shape, four, where) }));
  switch (name) {
    case 'curved':
      return shapes.map((shape) => ({ type: name, points: pointsOf(checkShape(shape, polyline, where)) }));
    case 'triangle':
      return shapes.map((shape) => ({ type: name, points: pointsOf(checkShape(shape, six, where)) }));
    case 'vanishing_point':
      return shapes.length === 0 ? [] : [{ type: name, lines: shapes.map((shape) => checkShape(shape, four, where)) }];
    default:
      throw new FramewrightError('DATASET_INVALID', `${where}: "${name}" is no composition class of CADB`);
  }
}

function orderCorners([x1, y1, x2, y2]: Box, id: string, repairs: string[]): Box {
  const box: Box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
  if (x1 > x2 || y1 > y2) repairs.push(`${id}: ordered the corners of [${[x1, y1, x2, y2].join(', ')}]`);
  return box;
}

function pointsOf(numbers: readonly number[]): Point[] {
  return Array.from({ length: numbers.length / 2 }, (_, i): Point => [numbers[2 * i]!, numbers[2 * i + 1]!]);
}

async function readSplits(path: string, signal?: AbortSignal): Promise<Map<string, string>> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return new Map();
  const splits = parseJson((await readDatasetFile(path, signal)).toString('utf8'), splitSchema, path);
  return new Map(Object.entries(splits).flatMap(([split, ids]) => ids.map((id) => [id, split] as const)));
}
