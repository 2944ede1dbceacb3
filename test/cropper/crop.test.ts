import { createReadStream, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCropper, type ConversationPart, type Cropper, type CropOptions } from '../../src/index.js';
import { cropResultSchema, type CropRect, type CropResult } from '../../src/base/schema.js';
import { examplePhoto } from '../support/photos.js';

let cropper: Cropper;
beforeAll(async () => {
  cropper = await openCropper({ gpu: 'cpu', threads: 1 });
});
afterAll(() => cropper.dispose());

const photo = examplePhoto('dogs'); // 799 x 1200

describe('crop', () => {
  test('gives a result with every field, scores that sum to 1 and a crop inside the photo', async () => {
    const result = await cropper.crop(photo);
    expect(cropResultSchema.parse(result)).toEqual(result);
    expect(result.photo).toEqual({ path: photo, widthPx: 799, heightPx: 1200 });
    expect(result.candidates).toHaveLength(5);
    const scores = result.candidates.map(({ modelScore }) => modelScore);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
    expect(scores[result.best]).toBe(Math.max(...scores));
    const { x, y, width, height } = result.crop;
    expect(x >= 0 && y >= 0 && x + width <= 799 && y + height <= 1200).toBe(true);
    expect(result.candidates[result.best]!.box).toEqual([x, y, x + width, y + height]);
    expect(new Set(result.candidates.map(({ box }) => box.join())).size).toBe(5);
    expect(Object.keys(result.timingsMs)).toEqual(['decode', 'analyse', 'enhance', 'propose', 'decide']);
  });

  test('takes a path, a URL, bytes and a stream alike', async () => {
    const { path: _, ...size } = (await cropper.crop(photo)).photo;
    const fromPath = (await cropper.crop(photo)).crop;
    for (const input of [pathToFileURL(photo), readFileSync(photo), createReadStream(photo)]) {
      const result = await cropper.crop(input);
      expect(result.crop).toEqual(fromPath);
      expect(result.photo).toMatchObject(size);
    }
  });

  test('meets an aspect ratio to the pixel, for every candidate', async () => {
    const { candidates, crop } = await cropper.crop(photo, { aspect: '4:5' });
    for (const { box } of candidates) expect((box[2] - box[0]) * 5).toBe((box[3] - box[1]) * 4);
    expect(crop.width * 5).toBe(crop.height * 4);
  });

  test('never cuts a box to keep', async () => {
    const keep = [{ x: 200, y: 300, width: 220, height: 500 }];
    const { candidates } = await cropper.crop(photo, { keep, aspect: '1:1', candidates: 3 });
    for (const { box } of candidates) {
      expect(box[0] <= 200 && box[1] <= 300 && box[2] >= 420 && box[3] >= 800).toBe(true);
    }
  });

  test('holds the minimum size', async () => {
    const { candidates } = await cropper.crop(photo, { minSize: 0.6 });
    for (const { box } of candidates) {
      expect((box[2] - box[0]) * (box[3] - box[1])).toBeGreaterThanOrEqual(0.6 * 799 * 1200 - 1);
    }
  });

  test('says which wishes collide when no crop is possible', async () => {
    const keep = [{ x: 0, y: 0, width: 799, height: 1200 }];
    await expect(cropper.crop(photo, { keep, aspect: '1:1' })).rejects.toMatchObject({
      code: 'ASPECT_IMPOSSIBLE',
      message: expect.stringMatching(/dogs\.jpg.*799x799 px, but the keep boxes span 799x1200 px/s) as string,
    });
  });

  test.each(['vlm', 'rules', 'centre', 'full'] as const)(
    'finds the only crop there is, which no box in the pixels of the frame is (%s)',
    async (engine) => {
      await using own = engine === 'vlm' ? undefined : await openCropper({ engine });
      const square = await sharp({ create: { width: 1000, height: 1000, channels: 3, background: 'teal' } })
        .png()
        .toBuffer();
      const only = async (options: CropOptions): Promise<CropRect> =>
        (await (own ?? cropper).crop(square, { aspect: '4:5', ...options })).crop;
      const kept = { x: 103, y: 0, width: 797, height: 1000 };
      for (const keep of [
        { x: 103, y: 0, width: 800, height: 1000 },
        { ...kept, width: 800, height: 999 },
      ])
        expect(await only({ keep: [keep] })).toEqual({ x: 103, y: 0, width: 800, height: 1000 });
      const { x: _, ...largest } = await only({ minSize: 0.8 });
      expect(largest).toEqual({ y: 0, width: 800, height: 1000 });
      await expect(only({ minSize: 0.81 })).rejects.toMatchObject({ code: 'ASPECT_IMPOSSIBLE' });
    },
  );

  test('ranks more than nine candidates, whose numbers share digits', async () => {
    const { candidates } = await cropper.crop(photo, { candidates: 12, votes: 2 });
    expect(candidates).toHaveLength(12);
    expect(candidates.reduce((sum, { modelScore }) => sum + modelScore, 0)).toBeCloseTo(1, 5);
  });

  test('shows the model the photo, then the photo with what it said drawn on it', async () => {
    let conversation: readonly ConversationPart[] = [];
    await cropper.crop(photo, { onConversation: (parts) => (conversation = parts) });
    const images = conversation.flatMap((part) => (part.kind === 'image' ? [part.image] : []));
    expect(images).toHaveLength(2);
    expect(images[0]!.frame).toEqual(images[1]!.frame);
    expect(Buffer.from(images[0]!.rgb).equals(Buffer.from(images[1]!.rgb))).toBe(false);
    const answers = conversation.flatMap((part) => (part.kind === 'answer' ? [part.text] : []));
    expect(answers).toHaveLength(3);
    for (const answer of answers) {
      const lines = answer.replace('<|im_end|>', '').trimEnd().split('\n');
      for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
  });

  test('refuses nonsense with USAGE before any work', async () => {
    for (const options of [
      { aspect: 'wide' },
      { size: '10' },
      { aspect: '1:1', size: '10x10' },
      { candidates: 0 },
      { candidates: 21 },
      { votes: 1.5 },
      { minSize: 2 },
      { temperature: -1 },
      { keep: [{ x: 0, y: 0, width: 0, height: 5 }] },
      { keep: [{ x: 700, y: 0, width: 100, height: 5 }] },
      { instruct: 'more sky' }, // the bundled model's short prompts have no place for it
    ]) {
      await expect(cropper.crop(photo, options), JSON.stringify(options)).rejects.toMatchObject({ code: 'USAGE' });
    }
  });
});

describe('cropAll', () => {
  test('gives every aspect and size of each photo, in order, from one analysis', async () => {
    const photos = [photo, examplePhoto('pagoda')];
    const results: CropResult[] = [];
    for await (const result of cropper.cropAll(photos, { aspects: ['1:1', '16:9'], sizes: ['300x200'] }))
      results.push(result);
    expect(results.map(({ photo: { path } }) => path)).toEqual(photos.flatMap((path) => [path, path, path]));
    expect(results.map(({ target }) => target)).toEqual([...asked, ...asked]);
    expect(results[1]!.analysis).toEqual(results[0]!.analysis);
    const { width, height } = results[2]!.crop;
    expect(width * 2).toBe(height * 3);
  });
  const asked = [{ aspect: '1:1' }, { aspect: '16:9' }, { size: { widthPx: 300, heightPx: 200 } }];

  test('a further aspect costs fewer tokens than a further photo', async () => {
    const tokens = async (work: () => Promise<unknown>): Promise<number> => {
      const before = cropper.counters().nTokensDecoded;
      await work();
      return cropper.counters().nTokensDecoded - before;
    };
    const alone = await tokens(() => cropper.crop(photo, { aspect: '1:1' }));
    const both = await tokens(() => collect(cropper.cropAll([photo], { aspects: ['1:1', '3:2'] })));
    expect(both).toBeLessThan(1.8 * alone);
  });

  test('hands a broken photo to onError and goes on', async () => {
    const failed: unknown[] = [];
    const results = await collect(
      cropper.cropAll([photo, 'missing.jpg', examplePhoto('pagoda')], { onError: (error) => failed.push(error) }),
    );
    expect(results.map(({ photo: { path } }) => path)).toEqual([photo, examplePhoto('pagoda')]);
    expect(failed).toEqual([expect.objectContaining({ code: 'INPUT_NOT_FOUND' })]);
  });

  test('ends at a broken photo without onError', async () => {
    await expect(collect(cropper.cropAll([photo, 'missing.jpg']))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });

  test('stops work in hand when the caller leaves the loop', async () => {
    for await (const _ of cropper.cropAll([photo, photo, photo])) break;
    expect((await cropper.crop(photo)).candidates).toHaveLength(5);
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
