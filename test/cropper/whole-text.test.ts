import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boxOfRect } from '../../src/base/geometry.js';
import { cropResultSchema, type CropResult } from '../../src/base/schema.js';
import { textCutBy } from '../../src/crop/whole-text.js';
import { openCropper, type Cropper } from '../../src/cropper/cropper.js';
import { withLines, type DrawnLine } from '../support/drawn-text.js';
import { examplePhoto } from '../support/photos.js';

let centre: Cropper;
beforeAll(async () => {
  centre = await openCropper({ engine: 'centre' });
});
afterAll(() => centre.dispose());

const CAPTION: DrawnLine = {
  words: 'fresh bread daily',
  at: [420, 540],
  heightPx: 32,
  ink: 'rgb(20,20,40)',
  sign: 'rgb(240,235,220)',
};

/** 900 x 600 with a caption at the lower right. */
async function photo(line: DrawnLine = CAPTION): Promise<Buffer> {
  return withLines(await sharp(examplePhoto('dandelion')).resize(900, 600, { fit: 'cover' }).toBuffer(), [line]);
}

const cutIn = ({ crop, text }: CropResult): unknown[] =>
  textCutBy(
    crop,
    text!.map(({ box }) => box),
  );

describe('wholeText', () => {
  test('not wished, looks for nothing', async () => {
    const result = await centre.crop(await photo(), { aspect: '1:1' });
    expect(result.text).toBeUndefined();
    expect(result.timingsMs).not.toHaveProperty('text');
  });

  test('in a photo without text says so, and changes no crop', async () => {
    const { text, crop, notes } = await centre.crop(examplePhoto('mountains'), { aspect: '1:1', wholeText: true });
    expect(text).toEqual([]);
    expect(notes).toBeUndefined();
    expect(crop).toEqual((await centre.crop(examplePhoto('mountains'), { aspect: '1:1' })).crop);
  });

  test('holds for every ratio, for a size and without either', async () => {
    await using rules = await openCropper({ engine: 'rules' });
    const bytes = await photo();
    for (const target of [{ aspect: '1:1' }, { aspect: '4:5' }, { aspect: '16:9' }, { size: '300x400' }, {}]) {
      const result = cropResultSchema.parse(await rules.crop(bytes, { ...target, wholeText: true }));
      expect(result.text).toHaveLength(1);
      const [line] = result.text!;
      const isNoted = (result.notes ?? []).some((note) => note.includes('that its crop cuts'));
      expect(cutIn(result).length > 0).toBe(isNoted);
      if (result.verdict === 'crop') expect(boxOfRect(result.crop)).toEqual(result.candidates[result.best]!.box);
      expect(line!.confidence).toBeGreaterThan(0.85);
    }
  });

  test('counts in pixels of the straight photo where that was straightened', async () => {
    const turned = await photo({ ...CAPTION, at: [300, 400], turnedDeg: 4 });
    const result = await centre.crop(turned, { straighten: -4, aspect: '1:1', wholeText: true });
    expect(result.photo.widthPx).toBeLessThan(900);
    expect(result.text).toHaveLength(1);
    expect(Math.abs(result.text![0]!.angleDeg)).toBeLessThan(0.6);
    const [, top, , bottom] = result.text![0]!.box;
    // Level, the line is as high as its letters; tilted it would be 25 px higher.
    expect(bottom - top).toBeLessThan(56);
    expect(cutIn(result)).toEqual([]);
  });

  test('of an animation holds for the one crop of all frames', async () => {
    const frame = await sharp(await photo())
      .resize(600)
      .png()
      .toBuffer();
    const frames = await Promise.all(
      [0, 1, 2].map((i) =>
        sharp(frame)
          .modulate({ brightness: 1 + i / 50 })
          .toBuffer(),
      ),
    );
    const gif = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true, effort: 0 })
      .toBuffer();
    const result = await centre.crop(gif, { aspect: '1:1', wholeText: true });
    expect(result.text).toHaveLength(1);
    expect(cutIn(result)).toEqual([]);
    expect(result.crop.width).toBe(result.crop.height);
    expect(result.notes).toHaveLength(1);
  });

  test.each(['yes', 1, null])('%j is refused', async (wholeText) => {
    await expect(centre.crop(await photo(), { wholeText: wholeText as never })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    const crop = centre.crop(await photo(), { wholeText: true, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(crop).rejects.toThrow('enough');
  });
});
