import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Raster } from '../../src/engines/types.js';
import type { Element } from '../../src/base/schema.js';
import { dice } from '../scenes/dice.js';
import { drawScene } from '../scenes/scene.js';

/** One picture to learn from. */
export interface View {
  readonly source: string;
  readonly raster: Raster;
  /** What is true of it, where that is known; raster pixels. */
  readonly elements?: readonly Element[];
  /** Seeds what is drawn by lot for it. */
  readonly seed: number;
}

/** How large the raster of a cut-out must stay on its shorter side to fill a frame without being enlarged much. */
const MIN_SHORT_SIDE_PX = 150;

/** Every photo of a corpus's index (`index.jsonl` with a `file` a line), whole and `nCuts` times cut at random. */
export async function* corpusViews(folder: string, nCuts: number, part: Part): AsyncGenerator<View> {
  const files = await corpusFiles(folder);
  for (let i = part.index; i < files.length; i += part.of) {
    const file = files[i]!;
    const raster = await readRaster(join(folder, file));
    yield { source: file, raster, seed: i };
    for (let cut = 1; cut <= nCuts; cut++) {
      const seed = i * 1000 + cut;
      const region = randomRegion(raster, seed);
      if (region) yield { source: `${file}#${cut}`, raster: await extract(raster, region), seed };
    }
  }
}

/** Every image file of a folder, whole. */
export async function* photoViews(folder: string, part: Part): AsyncGenerator<View> {
  const files = (await readdir(folder)).filter((file) => /\.(jpe?g|png|webp)$/i.test(file)).sort();
  for (let i = part.index; i < files.length; i += part.of) {
    yield { source: files[i]!, raster: await readRaster(join(folder, files[i]!)), seed: i };
  }
}

export async function* sceneViews(
  first: number,
  count: number,
  corpus: string | undefined,
  part: Part,
): AsyncGenerator<View> {
  const backdrops = corpus ? (await corpusFiles(corpus)).map((file) => join(corpus, file)) : [];
  for (let seed = first + part.index; seed < first + count; seed += part.of) {
    const scene = await drawScene({ seed, backdrops });
    yield { source: `scene-${seed}`, raster: { data: scene.data, size: scene.size }, elements: scene.elements, seed };
  }
}

/** Every `of`-th item from `index` on, so that several processes can share the work. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

export async function corpusFiles(folder: string): Promise<string[]> {
  const lines = (await readFile(join(folder, 'index.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as { file: string }).file);
}

export async function readRaster(file: string): Promise<Raster> {
  const { data, info } = await sharp(file)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: Uint8Array.from(data), size: { width: info.width, height: info.height } };
}

interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** 45 to 90 % of the photo in a shape cameras and screens have. */
function randomRegion({ size }: Raster, seed: number): Region | undefined {
  const roll = dice(seed);
  for (let attempt = 0; attempt < 20; attempt++) {
    const aspect = roll.pick([3 / 2, 4 / 3, 1, 16 / 9, 5 / 4, 2 / 3, 3 / 4, 4 / 5]);
    const area = size.width * size.height * roll.between(0.45, 0.9);
    const width = Math.round(Math.sqrt(area * aspect));
    const height = Math.round(Math.sqrt(area / aspect));
    if (width > size.width || height > size.height || Math.min(width, height) < MIN_SHORT_SIDE_PX) continue;
    return { left: roll.whole(0, size.width - width), top: roll.whole(0, size.height - height), width, height };
  }
  return undefined;
}

async function extract({ data, size }: Raster, region: Region): Promise<Raster> {
  const cut = await sharp(data, { raw: { ...size, channels: 3 } })
    .extract(region)
    .raw()
    .toBuffer();
  return { data: Uint8Array.from(cut), size: { width: region.width, height: region.height } };
}
