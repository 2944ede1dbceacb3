import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCropper, type ConversationPart, type Cropper } from '../../../src/index.js';
import { examplePhoto, projectFile } from '../../support/photos.js';

let folder: string;
let placing: Cropper;
let plain: Cropper;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-edges-'));
  await cp(projectFile('gguf', 'nano'), folder, { recursive: true });
  const withPlaceEdges = async (placeEdges: boolean): Promise<Cropper> => {
    const file = join(folder, 'manifest.json');
    await writeFile(file, JSON.stringify({ ...(JSON.parse(await readFile(file, 'utf8')) as object), placeEdges }));
    return openCropper({ model: folder, gpu: 'cpu', threads: 1 });
  };
  placing = await withPlaceEdges(true);
  plain = await withPlaceEdges(false);
});
afterAll(async () => {
  await Promise.all([placing.dispose(), plain.dispose()]);
  await rm(folder, { recursive: true });
});

const photo = examplePhoto('pagoda'); // 640 x 427

test('edges move a little, and the decision is between the boxes as they are then', async () => {
  let told = '';
  const onConversation = (parts: readonly ConversationPart[]): void => {
    told = parts.flatMap((part) => (part.kind === 'prompt' ? [part.text] : [])).at(-1)!;
  };
  const before = await plain.crop(photo);
  const after = await placing.crop(photo, { onConversation });
  expect(after.candidates).toHaveLength(5);
  expect(new Set(after.candidates.map(({ box }) => box.join())).size).toBe(5);
  expect(after.candidates).not.toEqual(before.candidates);
  for (const [i, { box, why }] of after.candidates.entries()) {
    expect(why).toBe(before.candidates[i]!.why);
    for (const [k, edge] of box.entries()) {
      const side = k % 2 === 0 ? 640 : 427;
      const was = before.candidates[i]!.box[k]!;
      expect(Math.abs(edge - was)).toBeLessThanOrEqual((9 / 192) * side + 4);
      if (was === 0 || was === side) expect(edge).toBe(was);
    }
  }
  const [, ...listed] = [.../\d: \[(\d+),(\d+),(\d+),(\d+)\]/.exec(told)!].map(Number);
  const { widthPx, heightPx } = after.frame;
  const scale = [640 / widthPx, 427 / heightPx];
  for (const [k, edge] of after.candidates[0]!.box.entries())
    expect(Math.abs(edge - listed[k]! * scale[k % 2]!)).toBeLessThanOrEqual(1);
});

test('a fixed ratio, a box to keep and the least area hold as ever', async () => {
  const aspect = { aspect: '4:5' };
  expect((await placing.crop(photo, aspect)).candidates).toEqual((await plain.crop(photo, aspect)).candidates);
  const kept = { x: 100, y: 40, width: 300, height: 200 };
  for (const { box } of (await placing.crop(photo, { keep: [kept], minSize: 0.7 })).candidates) {
    expect(box[0] <= 100 && box[1] <= 40 && box[2] >= 400 && box[3] >= 240).toBe(true);
    expect((box[2] - box[0]) * (box[3] - box[1])).toBeGreaterThanOrEqual(0.7 * 640 * 427 - 1);
  }
});
