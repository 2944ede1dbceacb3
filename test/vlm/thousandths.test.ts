import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeToyPair, type FamilyName } from '../../gguf/index.js';
import { openCropper, type ConversationPart, type Cropper } from '../../src/index.js';
import type { Box, Size } from '../../src/base/geometry.js';
import type { Element } from '../../src/base/schema.js';
import { frameMap } from '../../src/photo/frame.js';
import { drawOnFrame } from '../../src/photo/overlay/overlay.js';
import { examplePhoto } from '../support/photos.js';

/** Toys without a manifest: asked with the full prompts, each in the coordinates of its family. */
const root = mkdtempSync(path.join(tmpdir(), 'framewright-thousandths-'));
const croppers = new Map<FamilyName, Cropper>();
beforeAll(async () => {
  for (const family of ['qwen2vl', 'qwen3vl', 'qwen35'] as const) {
    const { textPath } = await writeToyPair(path.join(root, family), { seed: 3, family });
    croppers.set(family, await openCropper({ model: textPath, gpu: 'cpu', threads: 1 }));
  }
});
afterAll(async () => {
  for (const cropper of croppers.values()) await cropper.dispose();
  rmSync(root, { recursive: true, force: true });
});

/** The elements an answer spells, its numbers heard as the product hears them. */
function elementsIn(answer: string, { width, height }: Size): Element[] {
  const lines = answer.replace('<|im_end|>', '').trimEnd().split('\n');
  const isBox = (key: string): boolean => key === 'bbox_2d';
  return lines.map((line) => {
    const { label, ...shape } = JSON.parse(line) as { label: string } & Record<string, number[] | number[][]>;
    const [key, numbers] = Object.entries(shape)[0]!;
    const sides = [width, height].map((side) => (isBox(key) ? side : side - 1));
    const clamp = (list: number[]): number[] => list.map((number, i) => Math.min(number, sides[i % 2]!));
    const heard = Array.isArray(numbers[0]) ? (numbers as number[][]).map(clamp) : clamp(numbers as number[]);
    const geometry = isBox(key) ? 'box' : key === 'point_2d' ? 'points' : Array.isArray(numbers[0]) ? 'lines' : 'line';
    return { type: label, [geometry]: heard } as unknown as Element;
  });
}

test.each(['qwen2vl', 'qwen3vl', 'qwen35'] as const)(
  'what a %s says, sees drawn and lists is all in its coordinates, and lands in the photo',
  async (family) => {
    const cropper = croppers.get(family)!;
    let parts: readonly ConversationPart[] = [];
    const result = await cropper.crop(examplePhoto('dogs'), {
      candidates: 3,
      minSize: 0,
      temperature: 1.5,
      seed: 11,
      onConversation: (said) => (parts = said),
    });
    const frame = { width: result.frame.widthPx, height: result.frame.heightPx };
    const space = family !== 'qwen2vl' ? { width: 1000, height: 1000 } : frame;
    const prompts = parts.flatMap((part) => (part.kind === 'prompt' ? [part.text] : [])).join('');
    expect(prompts.includes(`which is ${frame.width} wide and ${frame.height} high`)).toBe(family === 'qwen2vl');
    expect(prompts.includes('whole numbers from 0 to 1000')).toBe(family !== 'qwen2vl');

    const { toPhoto } = frameMap({ width: result.photo.widthPx, height: result.photo.heightPx }, space);
    const [analysis, proposal] = parts.flatMap((part) => (part.kind === 'answer' ? [part.text] : []));
    const elements = elementsIn(analysis!, space);
    expect(result.analysis).toEqual(elements.map((element) => toPhoto.element(element)));

    const sides = [space.width, space.height];
    const boxes = proposal!
      .replace('<|im_end|>', '')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { bbox_2d: number[] }).bbox_2d)
      .map((box) => box.map((edge, i) => Math.min(edge, sides[i % 2]! - (i < 2 ? 1 : 0))) as unknown as Box);
    expect(result.candidates.map(({ box }) => box)).toEqual(boxes.map((box) => toPhoto.box(box)));
    for (const [i, box] of boxes.entries()) expect(prompts).toContain(`${i + 1}: [${box.join(', ')}]`);

    const [photo, drawn] = parts.flatMap((part) => (part.kind === 'image' ? [part.image] : []));
    const redrawn = await drawOnFrame(photo!.rgb, frame, elements, { space });
    expect(Buffer.compare(drawn!.rgb, redrawn)).toBe(0);
    expect(Buffer.compare(drawn!.rgb, photo!.rgb)).not.toBe(0);
  },
);

test('a photo is seen at 1,024 to 1,280 image tokens, whatever its size and whatever a token covers', async () => {
  for (const [family, cellPx] of [
    ['qwen2vl', 28],
    ['qwen3vl', 32],
  ] as const) {
    for (const name of ['dogs', 'mountains', 'dandelion'] as const) {
      const { frame } = await croppers.get(family)!.crop(examplePhoto(name), { candidates: 1 });
      const nTokens = (frame.widthPx / cellPx) * (frame.heightPx / cellPx);
      expect(nTokens).toBeGreaterThanOrEqual(1024);
      expect(nTokens).toBeLessThanOrEqual(1280);
    }
  }
});
