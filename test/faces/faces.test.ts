import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { openCropper } from '../../src/cropper/cropper.js';
import { openFaceDetector } from '../../src/faces/detector.js';
import { findHeads, headAround, type Head } from '../../src/faces/heads.js';
import { plainEngine, type PlainEngineName } from '../../src/engines/plain-engine.js';
import { contains } from '../../src/base/geometry.js';
import type { Box } from '../../src/base/geometry.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { cropPhoto } from '../../src/crop/pipeline.js';
import { framePhoto, withHeads } from '../../src/crop/ready-photo.js';
import { parseTargets } from '../../src/crop/target.js';
import { examplePhoto } from '../support/photos.js';
import { declareWhere } from '../support/system-tools.js';

const isInstalled = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json');
    return true;
  } catch {
    return false;
  }
})();

function sure(boxes: readonly Box[]): Head[] {
  return boxes.map((box) => ({ box, isSure: true }));
}

test('a head reaches beyond its face, and not beyond the photo', () => {
  expect(headAround([100, 100, 140, 150], { width: 800, height: 600 })).toEqual([86, 70, 154, 163]);
  expect(headAround([0, 5, 100, 100], { width: 110, height: 110 })).toEqual([0, 0, 110, 110]);
});

describe('heads that were found', () => {
  const HEADS: readonly Box[] = [
    [230, 180, 420, 460],
    [380, 520, 520, 720],
  ];
  const { signal } = new AbortController();

  test.each(['rules', 'saliency', 'centre', 'full'] as const)('are cut by no candidate of %s', async (name) => {
    const engine = plainEngine(name satisfies PlainEngineName);
    const ready = await framePhoto(examplePhoto('dogs'), engine, { signal });
    const targets = parseTargets(['1:1', '4:5'], []);
    const decode = () => Promise.resolve(withHeads(ready, sure(HEADS)));
    const { results } = await cropPhoto({ decode, engines: [engine], targets, wishes: { minSize: 0.1 } });
    expect(results).toHaveLength(2);
    for (const { candidates, heads } of results) {
      expect(heads).toEqual(HEADS);
      for (const { box } of candidates) for (const head of HEADS) expect(contains(box, head)).toBe(true);
    }
  });

  test('have room around where there is some', async () => {
    const engine = plainEngine('full');
    const ready = await framePhoto(examplePhoto('dogs'), engine, { signal });
    const head: Box = [60, 60, 140, 160];
    const decode = () => Promise.resolve(withHeads(ready, sure([head])));
    const { results } = await cropPhoto({ decode, engines: [engine], targets: parseTargets(['1:1'], []), wishes: {} });
    const { crop } = results[0]!;
    expect(crop.y).toBeLessThanOrEqual(10);
  });

  test('further apart than any crop of the ratio are kept as far as can be, with a word', async () => {
    const engine = plainEngine('full');
    const ready = await framePhoto(examplePhoto('dogs'), engine, { signal });
    const heads: readonly Box[] = [
      [0, 0, 90, 90],
      [0, 1000, 90, 1200],
      [100, 900, 200, 1000],
    ];
    const decode = () => Promise.resolve(withHeads(ready, sure(heads)));
    const targets = parseTargets(['1:1'], []);
    const { results } = await cropPhoto({ decode, engines: [engine], targets, wishes: {} });
    const { crop, notes } = results[0]!;
    const box: Box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
    expect(heads.map((head) => contains(box, head))).toEqual([false, true, true]);
    expect(notes).toEqual(['has 3 heads further apart than any crop of this ratio is wide or high: 2 are kept whole']);
    const asked = { keep: [{ x: 0, y: 0, width: 90, height: 1200 }] };
    await expect(cropPhoto({ decode, engines: [engine], targets, wishes: asked })).rejects.toMatchObject({
      code: 'ASPECT_IMPOSSIBLE',
      message: expect.stringContaining('the keep boxes span') as string,
    });
  });
});

if (!isInstalled)
  describe('without the packages that find faces', () => {
    test('opening a cropper with faces says what to install', async () => {
      for (const options of [{ engine: 'full', faces: true }, { engine: ['faces', 'full'] }] as const) {
        await expect(openCropper(options)).rejects.toMatchObject({
          code: 'FACES_UNAVAILABLE',
          message:
            'finding faces needs packages that are not installed: npm install @vladmandic/face-api @tensorflow/tfjs @tensorflow/tfjs-backend-wasm',
        });
      }
    });
  });

declareWhere(isInstalled, 'faces in photos', '@vladmandic/face-api: npm run test:faces', () => {
  describe('with the packages that find faces', () => {
    test('the two faces in a photo are found, none where there is none, and a cropper keeps them', async () => {
      const detect = await openFaceDetector();
      const found = await findHeads(await decodePhoto(examplePhoto('dogs')), detect);
      const heads = found.map(({ box }) => box);
      const middles = heads.map(([x1, y1, x2, y2]) => [(x1 + x2) / 2, (y1 + y2) / 2]).sort((a, b) => a[1]! - b[1]!);
      expect(middles).toHaveLength(2);
      for (const [i, [x, y]] of [
        [340, 370],
        [455, 625],
      ].entries()) {
        expect(Math.hypot(middles[i]![0]! - x!, middles[i]![1]! - y!)).toBeLessThan(40);
      }
      expect(await findHeads(await decodePhoto(examplePhoto('mountains')), detect)).toEqual([]);

      await using chain = await openCropper({ engine: ['faces', 'rules'] });
      const around = await chain.crop(examplePhoto('dogs'), { aspect: '1:1' });
      expect(around).toMatchObject({ engine: 'faces', heads });
      expect(around.passedOver).toBeUndefined();
      const without = await chain.crop(examplePhoto('mountains'), { aspect: '1:1' });
      expect(without).toMatchObject({ engine: 'rules', passedOver: [{ engine: 'faces', reason: 'nothing' }] });

      await using cropper = await openCropper({ engine: 'rules', faces: true });
      const { crop, heads: kept } = await cropper.crop(examplePhoto('dogs'), { aspect: '1:1', minSize: 0.1 });
      expect(kept).toEqual(heads);
      for (const head of heads)
        expect(contains([crop.x, crop.y, crop.x + crop.width, crop.y + crop.height], head)).toBe(true);
    });
  });
});
