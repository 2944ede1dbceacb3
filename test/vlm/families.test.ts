import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cellPxOf, FAMILIES, writeToyPair, type FamilyName } from '../../gguf/index.js';
import { photoAttention } from '../../src/attention/photo-attention.js';
import { cropResultSchema } from '../../src/base/schema.js';
import { DEFAULT_IMAGE_TOKENS } from '../../src/model/manifest.js';
import { openCropper, type ConversationPart } from '../../src/index.js';
import { openRuntime } from '../../src/runtime/runtime.js';
import { framewright } from '../cli/run.js';
import { examplePhoto } from '../support/photos.js';

const photo = examplePhoto('dogs'); // 799 x 1200

describe.each(Object.keys(FAMILIES) as FamilyName[])('a toy of the family %s', (family) => {
  const cellPx = cellPxOf(FAMILIES[family]);
  let folder: string;
  let model: string;
  let mmprojPath: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), `framewright-${family}-`));
    ({ textPath: model, mmprojPath } = await writeToyPair(path.join(folder, 'toy'), { family, seed: 3 }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('crops a photo through the command, in a frame of whole cells', async () => {
    const out = path.join(folder, 'crop.jpg');
    const args = ['--model', model, '--gpu', 'cpu', '--json', '-a', '4:5', '-o', out, photo];
    const { code, stdout, stderr } = await framewright(args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { frame, crop } = cropResultSchema.parse(JSON.parse(stdout));
    expect([frame.widthPx % cellPx, frame.heightPx % cellPx]).toEqual([0, 0]);
    const nTokens = (frame.widthPx / cellPx) * (frame.heightPx / cellPx);
    const { min, max } = DEFAULT_IMAGE_TOKENS;
    expect(nTokens).toBeLessThanOrEqual(max);
    expect(nTokens).toBeGreaterThanOrEqual(min);
    const { width, height } = await sharp(out).metadata();
    expect({ width, height }).toEqual({ width: crop.width, height: crop.height });
  });

  test('is asked for its answers at once: where it would think first, the think block is closed for it', async () => {
    await using cropper = await openCropper({ model, gpu: 'cpu', threads: 1, imageTokens: 48 });
    let parts: readonly ConversationPart[] = [];
    await cropper.crop(photo, { candidates: 2, onConversation: (said) => (parts = said) });
    const asked = parts.flatMap((part, i) =>
      part.kind === 'prompt' && parts[i + 1]?.kind === 'answer' ? [part.text] : [],
    );
    expect(asked).toHaveLength(3);
    const opening = `<|im_start|>assistant\n${FAMILIES[family].thinks ? '<think>\n\n</think>\n\n' : ''}`;
    for (const text of asked) expect(text.slice(-opening.length)).toBe(opening);
  });

  test('tells its family, and what an answer pays attention to cell by cell', async () => {
    await using cropper = await openCropper({ model, gpu: 'cpu', threads: 1, imageTokens: 48 });
    expect(cropper.model).toMatchObject({ family, pixelBudget: { cellPx, maxPixels: 48 * cellPx ** 2 } });
    const { grid, inside } = await photoAttention(cropper, photo);
    expect(grid.width * grid.height).toBe(inside.length);
    expect(inside.length).toBeLessThanOrEqual(48);
  });

  test('takes whole cells alone, and gives each as many values as its text model takes', async () => {
    await using runtime = await openRuntime({ gpu: 'cpu' });
    await using loaded = await runtime.loadModel({ path: model, mmprojPath, threads: 1, imageMinTokens: 1 });
    const rgb = (width: number, height: number): Uint8Array => new Uint8Array(3 * width * height).fill(90);
    const [width, height] = [3 * cellPx, 2 * cellPx];
    using image = await loaded.encodeImage(rgb(width, height), { width, height });
    expect([image.nTokens, image.nPos]).toEqual([6, 3]);
    expect(image.rows()).toHaveLength(6 * loaded.facts.nEmbdInput);
    const other = cellPx === 28 ? 32 : 28;
    await expect(loaded.encodeImage(rgb(other, other), { width: other, height: other })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(`multiples of ${cellPx} but received ${other} x ${other}`) as string,
    });
  });
});
