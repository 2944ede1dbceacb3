import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Box, Size } from '../../base/geometry.js';
import { FramewrightError } from '../../base/errors.js';
import { decodePhoto } from '../../photo/decode.js';
import { displayed } from '../../photo/render.js';

/** Grey levels above are subject. */
const SUBJECT_ABOVE = 127;
/** A subject of less of the photo is a speck, of more no subject but the photo. */
const LEAST_SHARE = 0.004;
const MOST_SHARE = 0.6;
/** Cells of a row or column with less subject than this share of it are stray pixels. */
const STRAY_SHARE = 0.004;

/** The file of a photo's subject mask: its path below the photos' folder, or its name alone, with `.png`. */
export function maskPathOf(masks: string, photoPath: string, photos: string): string | undefined {
  const below = path.relative(photos, photoPath);
  const names = [below, path.basename(photoPath)].filter((name) => !name.startsWith('..'));
  const files = names.flatMap((name) => [
    path.join(masks, `${name.slice(0, name.length - path.extname(name).length)}.png`),
    path.join(masks, `${name}.png`),
  ]);
  return files.find((file) => existsSync(file));
}

/**
 * The box around a mask's subject in a photo of this size; undefined where it shows none. The mask may have any size: it
 * is of the whole photo.
 *
 * @throws FramewrightError INPUT_CORRUPT, INPUT_UNREADABLE
 */
export async function subjectOfMask(file: string, size: Size): Promise<Box | undefined> {
  const mask = await decodePhoto(file);
  const { data, info } = await displayed(mask).greyscale().raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const columns = new Float64Array(width);
  const rows = new Float64Array(height);
  let n = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * channels]! <= SUBJECT_ABOVE) continue;
      columns[x]!++;
      rows[y]!++;
      n++;
    }
  }
  const share = n / (width * height);
  if (share < LEAST_SHARE || share > MOST_SHARE) return undefined;
  const [x1, x2] = extent(columns, STRAY_SHARE * height);
  const [y1, y2] = extent(rows, STRAY_SHARE * width);
  const [sx, sy] = [size.width / width, size.height / height];
  return [Math.round(x1 * sx), Math.round(y1 * sy), Math.round(x2 * sx), Math.round(y2 * sy)];
}

function extent(counts: Float64Array, least: number): [first: number, end: number] {
  const first = counts.findIndex((count) => count > least);
  const last = counts.findLastIndex((count) => count > least);
  if (first < 0) throw new FramewrightError('INPUT_CORRUPT', 'a subject mask is noise: no row of it has a subject');
  return [first, last + 1];
}
