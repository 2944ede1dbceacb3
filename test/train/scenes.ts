import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { Box, Size } from '../../src/base/geometry.js';
import type { Element } from '../../src/base/schema.js';
import { drawScene } from '../../training/scenes/scene.js';

/** A drawn photo in a file, with what is true of it. */
export interface ScenePhoto {
  readonly name: string;
  readonly path: string;
  readonly size: Size;
  readonly elements: readonly Element[];
}

/** Writes `count` scenes, seeds from 0, as `scene-<seed>.png`. */
export async function writeScenes(folder: string, count: number): Promise<ScenePhoto[]> {
  await mkdir(folder, { recursive: true });
  const photos: ScenePhoto[] = [];
  for (let seed = 0; seed < count; seed++) {
    const { data, size, elements } = await drawScene({ seed });
    const name = `scene-${seed}.png`;
    const file = path.join(folder, name);
    await sharp(data, { raw: { ...size, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toFile(file);
    photos.push({ name, path: file, size, elements });
  }
  return photos;
}

/** Crops of a photo with opinion scores: the farther to the upper left, the better. */
export function ratedCrops({ width, height }: Size): { box: Box; mos: number }[] {
  const [w, h] = [Math.round(width * 0.7), Math.round(height * 0.7)];
  return [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => {
      const [x, y] = [Math.floor(((width - w) * column) / 2), Math.floor(((height - h) * row) / 2)];
      return { box: [x, y, x + w, y + h] as const, mos: 5 - (row + column) };
    }),
  );
}

export async function writeLines(file: string, lines: readonly object[]): Promise<void> {
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
