import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Box, Size } from '../../base/geometry.js';
import { cleanBox } from './boxes.js';
import { parseJson, readDatasetFile } from './files.js';
import { indexPhotos } from './photos.js';
import type { BoxesPhoto, DatasetOfKind, DatasetOptions, MissingPhoto } from './types.js';

const LABEL_FILE = 'testeval_sha256.json.gz';
const MAX_INFLATED_BYTES = 512 * 1024 * 1024;
const share = z.number();
const xywh = z.tuple([share, share, share, share]);
const fileSchema = z.record(
  z.string(),
  z.object({ subject_xywh: xywh, crop_xywh: z.array(xywh).min(1), subject_mask: z.string() }),
);

/**
 * GenCrop's test labels (Hong et al., "Learning Subject-Aware Cropping by Outpainting Professional Photos", 2024):
 * the crops several people chose. Photos are Unsplash's, keyed by the SHA-256 of their Unsplash number; a file is found
 * by its name being that number or that hash. Label space is the size of the photo's subject mask.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readGenCrop(folder: string, { signal }: DatasetOptions = {}): Promise<DatasetOfKind<'boxes'>> {
  const index = await indexPhotos(folder);
  const byHash = new Map(
    index.paths.flatMap((path) => {
      const name = basename(path, extname(path));
      return [[name, path] as const, [createHash('sha256').update(name).digest('hex'), path] as const];
    }),
  );
  const photos: BoxesPhoto[] = [];
  const missing: MissingPhoto[] = [];
  const repairs: string[] = [];
  const classes = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name: split } of classes.sort((a, b) => a.name.localeCompare(b.name))) {
    const path = join(folder, split, LABEL_FILE);
    if (!(await readdir(join(folder, split))).includes(LABEL_FILE)) continue;
    const labels = parseJson(inflate(await readDatasetFile(path, signal), path), fileSchema, path);
    for (const [id, label] of Object.entries(labels)) {
      signal?.throwIfAborted();
      const size = maskSize(label.subject_mask, `${path}, at ${id} > subject_mask`);
      const boxes = label.crop_xywh
        .map((crop) => cleanBox(toPixels(crop, size), size, id, repairs))
        .filter((box) => box !== undefined);
      const photoPath = byHash.get(id);
      if (photoPath === undefined) missing.push({ id, reason: 'not in the folder' });
      if (boxes.length > 0) photos.push({ id, path: photoPath, size, split, boxes });
    }
  }
  if (photos.length === 0) throw new FramewrightError('DATASET_INVALID', `${folder} has no <class>/${LABEL_FILE}`);
  return { kind: 'boxes', name: 'GenCrop', folder, photos, missing, repairs };
}

function inflate(bytes: Buffer, path: string): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8');
  } catch (cause) {
    throw new FramewrightError('DATASET_INVALID', `${path} is no gzip file: ${messageOf(cause)}`, { cause });
  }
}

/** Width and height of a base64 PNG, from its IHDR chunk. */
function maskSize(base64: string, where: string): Size {
  const head = Buffer.from(base64.slice(0, 64), 'base64');
  if (head.length < 24 || head.toString('latin1', 12, 16) !== 'IHDR') {
    throw new FramewrightError('DATASET_INVALID', `${where}: no PNG`);
  }
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

/** Edges a rounding error outside the photo are on its border, not repairs. */
function toPixels([x, y, width, height]: readonly [number, number, number, number], size: Size): Box {
  const snap = (value: number, limit: number): number =>
    Math.abs(value) < 1e-6 * limit ? 0 : Math.abs(value - limit) < 1e-6 * limit ? limit : value;
  return [
    snap(x * size.width, size.width),
    snap(y * size.height, size.height),
    snap((x + width) * size.width, size.width),
    snap((y + height) * size.height, size.height),
  ];
}
