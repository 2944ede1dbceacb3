import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { frameOf } from '../../src/photo/animation.js';
import { encodeCrop } from '../../src/photo/crop-file.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { readApng } from '../../src/photo/formats/apng.js';
import { pngChunk, pngChunksOf, withPngChunks } from './png-parts.js';
import { rejection } from './thrown.js';

const SIZE = { width: 60, height: 40 };
const CROP = { x: 20, y: 10, width: 30, height: 25 } as const;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
  readonly colour: { r: number; g: number; b: number; alpha: number };
  readonly delay: readonly [number, number];
  readonly dispose: 0 | 1 | 2;
  readonly blend: 0 | 1;
}

const FRAMES: readonly Frame[] = [
  { ...SIZE, x: 0, y: 0, colour: rgb(32, 64, 96), delay: [1, 10], dispose: 0, blend: 0 },
  { width: 20, height: 15, x: 15, y: 8, colour: rgb(255, 0, 0), delay: [3, 0], dispose: 1, blend: 0 },
  { width: 20, height: 15, x: 25, y: 20, colour: rgb(0, 200, 0, 0.5), delay: [70, 1000], dispose: 2, blend: 1 },
  { width: 12, height: 12, x: 30, y: 12, colour: rgb(9, 9, 250, 0.25), delay: [2, 5], dispose: 0, blend: 0 },
  { width: 5, height: 5, x: 40, y: 30, colour: rgb(250, 250, 250), delay: [1, 1], dispose: 0, blend: 1 },
];

function rgb(r: number, g: number, b: number, alpha = 1): Frame['colour'] {
  return { r, g, b, alpha };
}

function pictureOf({ width, height, colour }: Pick<Frame, 'width' | 'height' | 'colour'>): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 4, background: colour } })
    .png()
    .toBuffer();
}

async function apngOf(frames: readonly Frame[], plays = 3): Promise<Buffer> {
  const counts = Buffer.alloc(8);
  counts.writeUInt32BE(frames.length, 0);
  counts.writeUInt32BE(plays, 4);
  let sequence = 0;
  const parts: Buffer[] = [];
  let first: Buffer | undefined;
  for (const frame of frames) {
    const control = Buffer.alloc(26);
    [sequence++, frame.width, frame.height, frame.x, frame.y].forEach((value, i) =>
      control.writeUInt32BE(value, 4 * i),
    );
    control.writeUInt16BE(frame.delay[0], 20);
    control.writeUInt16BE(frame.delay[1], 22);
    control.set([frame.dispose, frame.blend], 24);
    const png = await pictureOf(frame);
    first ??= png;
    parts.push(pngChunk('fcTL', control));
    for (const { type, data } of pngChunksOf(png)) {
      if (type !== 'IDAT') continue;
      const number = Buffer.alloc(4);
      if (frame === frames[0]) parts.push(pngChunk('IDAT', data));
      else {
        number.writeUInt32BE(sequence++);
        parts.push(pngChunk('fdAT', Buffer.concat([number, data])));
      }
    }
  }
  const [header] = pngChunksOf(first!);
  const signature = first!.subarray(0, 8);
  return Buffer.concat([
    ...[signature, pngChunk('IHDR', header!.data), pngChunk('acTL', counts)],
    ...[...parts, pngChunk('IEND', '')],
  ]);
}

/** What a screen shows of each frame, RGBA, put together by libvips. */
async function shown(): Promise<Buffer[]> {
  const canvas = async (frames: readonly Frame[]): Promise<Buffer> => {
    const layers = await Promise.all(
      frames.map(async (frame) => ({ input: await pictureOf(frame), left: frame.x, top: frame.y })),
    );
    return sharp({ create: { ...SIZE, channels: 4, background: rgb(0, 0, 0, 0) } })
      .composite(layers.map((layer) => ({ ...layer, blend: 'over' as const })))
      .raw()
      .toBuffer();
  };
  const cleared = (
    pixels: Buffer,
    { x, y, width, height }: Omit<Frame, 'colour'>,
    value: readonly number[],
  ): Buffer => {
    const copy = Buffer.from(pixels);
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) copy.set(value, 4 * (row * SIZE.width + column));
    }
    return copy;
  };
  const [a, b, c, d, e] = FRAMES as [Frame, Frame, Frame, Frame, Frame];
  const NONE = [0, 0, 0, 0];
  // The second leaves a hole, the third nothing, the fourth itself in the place of what was there.
  const withHole = cleared(await canvas([a]), b, NONE);
  const overHole = await sharp(withHole, { raw: { ...SIZE, channels: 4 } })
    .composite([{ input: await pictureOf(c), left: c.x, top: c.y }])
    .raw()
    .toBuffer();
  const [red, green, blue] = [d.colour.r, d.colour.g, d.colour.b];
  const withFourth = cleared(withHole, d, [red, green, blue, 64]);
  return [await canvas([a]), await canvas([a, b]), overHole, withFourth, cleared(withFourth, e, [250, 250, 250, 255])];
}

function cut(rgba: Buffer): Promise<Buffer> {
  const { x, y, width, height } = CROP;
  return sharp(rgba, { raw: { ...SIZE, channels: 4 } })
    .extract({ left: x, top: y, width, height })
    .raw()
    .toBuffer();
}

/** Where nothing is to be seen there is no colour to compare; half-seen ones are rounded once more or less. */
function expectAlike(ours: Buffer, theirs: Buffer): void {
  expect(ours.length).toBe(theirs.length);
  for (let at = 0; at < ours.length; at += 4) {
    const seen = ours[at + 3]! > 0 || theirs[at + 3]! > 0 ? [0, 1, 2, 3] : [3];
    for (const c of seen) expect(Math.abs(ours[at + c]! - theirs[at + c]!), `byte ${at + c}`).toBeLessThanOrEqual(1);
  }
}

describe('an animated PNG', () => {
  test('is cropped frame by frame, as a screen shows them; times and plays stay what they were', async () => {
    const photo = await decodePhoto(await apngOf(FRAMES));
    expect(photo).toMatchObject({ ...SIZE, notes: [], animation: { nFrames: 5 } });
    const { bytes, format, leftOut } = await encodeCrop(photo, { crop: CROP });
    expect({ format, leftOut }).toEqual({ format: 'png', leftOut: [] });
    const made = readApng(bytes)!;
    expect(made).toMatchObject({ width: CROP.width, height: CROP.height, plays: 3 });
    expect(made.frames.map(({ delay }) => delay)).toEqual(FRAMES.map(({ delay }) => delay));
    const theirs = await shown();
    for (const [i, { png }] of made.frames.entries()) {
      expectAlike(await sharp(png).ensureAlpha().raw().toBuffer(), await cut(theirs[i]!));
    }
    // Who knows nothing of frames sees the first.
    expectAlike(await sharp(bytes).ensureAlpha().raw().toBuffer(), await cut(theirs[0]!));
  });

  test('shows each of its frames to the engine', async () => {
    const photo = await decodePhoto(await apngOf(FRAMES));
    const fourth = await frameOf(photo, 3, undefined);
    expectAlike(await sharp(fourth.pixels).ensureAlpha().raw().toBuffer(), (await shown())[3]!);
  });

  test('becomes a GIF or WebP that moves as it did', async () => {
    const photo = await decodePhoto(await apngOf(FRAMES, 0));
    for (const format of ['gif', 'webp'] as const) {
      const { bytes, leftOut } = await encodeCrop(photo, { crop: CROP, format });
      expect(leftOut).toEqual([]);
      const { pages, delay, loop } = await sharp(bytes, { animated: true }).metadata();
      expect([pages, loop]).toEqual([5, 0]);
      expect(delay).toEqual([100, 30, 70, 400, 1000]);
    }
    const { leftOut } = await encodeCrop(photo, { crop: CROP, format: 'jpeg' });
    expect(leftOut[0]).toContain('4 frames after the first');
  });

  test('is scaled frame by frame, and stays opaque where it is', async () => {
    const opaque = FRAMES.slice(0, 2).map((frame) => ({ ...frame, dispose: 0 as const }));
    const { bytes } = await encodeCrop(await decodePhoto(await apngOf(opaque)), {
      crop: CROP,
      resize: { width: 15, height: 10 },
    });
    expect(readApng(bytes)!.frames).toHaveLength(2);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 15, height: 10, channels: 3 });
  });

  test('keeps what it says of itself, and its resolution', async () => {
    const apng = await apngOf(FRAMES);
    const density = pngChunk('pHYs', Buffer.from([0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1]));
    const photo = await decodePhoto(withPngChunks(apng, [density, pngChunk('tEXt', 'Author\0Ada')]));
    const { bytes } = await encodeCrop(photo, { crop: CROP });
    const types = pngChunksOf(bytes).map(({ type }) => type);
    expect(types.filter((type) => type === 'fcTL')).toHaveLength(5);
    expect(types).toEqual(expect.arrayContaining(['tEXt', 'pHYs']));
    expect(Buffer.from(bytes).includes('Author\0Ada')).toBe(true);
  });

  test('is its first frame alone where that is asked for', async () => {
    const photo = await decodePhoto(await apngOf(FRAMES), { firstFrame: true });
    expect(photo.animation).toBeUndefined();
    expect(photo.notes).toEqual(['is an animation of 5 frames: the first is what is cropped']);
  });

  test('that is not whole, in colours of its own, or deeper than it is composed, is cropped as a still, with the reason', async () => {
    const apng = await apngOf(FRAMES);
    const notes = async (bytes: Buffer): Promise<string> => (await decodePhoto(bytes)).notes.join();
    const profile = pngChunk('gAMA', Buffer.from([0, 0, 0x27, 0x10]));
    expect(await notes(withPngChunks(apng, [profile]))).toContain('colours of a space of their own');
    const [header, counts, ...rest] = pngChunksOf(apng);
    const missing = [header!, counts!, ...rest.slice(0, -3), rest.at(-1)!].map(({ type, data }) =>
      pngChunk(type, data),
    );
    expect(await notes(Buffer.concat([apng.subarray(0, 8), ...missing]))).toContain('not all there');
    const outside = await apngOf([FRAMES[0]!, { ...FRAMES[1]!, x: 45 }]);
    expect(await notes(outside)).toContain('not where an APNG has them');
  });

  test('with a damaged frame, or of more pixels than are taken, is refused', async () => {
    const apng = await apngOf(FRAMES);
    const last = pngChunksOf(apng).findLastIndex(({ type }) => type === 'fdAT');
    const chunks = pngChunksOf(apng).map(({ type, data }, i) =>
      pngChunk(type, i === last ? Buffer.concat([data.subarray(0, 8), Buffer.alloc(data.length - 8, 0x55)]) : data),
    );
    const damaged = Buffer.concat([apng.subarray(0, 8), ...chunks]);
    expect(await rejection(decodePhoto(damaged))).toMatchObject({ code: 'INPUT_CORRUPT' });
    expect(await rejection(decodePhoto(apng, { maxPixels: 60 * 40 * 4 }))).toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });
});
