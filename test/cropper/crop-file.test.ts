import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCropper, type Cropper } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

let cropper: Cropper;
let folder: string;
beforeAll(async () => {
  cropper = await openCropper({ engine: 'rules' });
});
afterAll(() => cropper.dispose());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-crop-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

describe('cropBuffer', () => {
  test('gives the crop that crop names, in the format of the photo and with its metadata', async () => {
    const turned = await sharp(examplePhoto('dogs'))
      .resize(300, 200, { fit: 'fill' })
      .withMetadata({ orientation: 6 })
      .withExifMerge({ IFD0: { Artist: 'Somebody' } })
      .jpeg()
      .toBuffer();
    const { bytes, format, width, height, result } = await cropper.cropBuffer(turned, { aspect: '4:5' });
    expect(result.crop).toEqual((await cropper.crop(turned, { aspect: '4:5' })).crop);
    expect({ format, width, height }).toEqual({
      format: 'jpeg',
      width: result.crop.width,
      height: result.crop.height,
    });
    const { width: w, height: h, orientation, exif } = await sharp(bytes).metadata();
    expect([w, h, orientation]).toEqual([width, height, 1]);
    expect(exif!.includes('Somebody')).toBe(true);
    expect((await sharp(turned).metadata()).orientation).toBe(6);
  });

  test('is scaled to the size asked for, in the format asked for', async () => {
    const { bytes, format } = await cropper.cropBuffer(examplePhoto('dogs'), { size: '120x90', format: 'webp' });
    expect(format).toBe('webp');
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 120, height: 90 });
  });
});

describe('cropFile', () => {
  test('writes the picture its name says, and tells where', async () => {
    const result = await cropper.cropFile(examplePhoto('dogs'), at('a.png'), { aspect: '1:1' });
    expect(result.output).toEqual([at('a.png')]);
    const { width, height } = result.crop;
    expect(await sharp(at('a.png')).metadata()).toMatchObject({ format: 'png', width, height });
    expect(readdirSync(folder)).toEqual(['a.png']);
  });

  test('replaces nothing unless told to', async () => {
    writeFileSync(at('a.jpg'), 'mine');
    const written = cropper.cropFile(examplePhoto('dogs'), at('a.jpg'));
    await expect(written).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(readFileSync(at('a.jpg'), 'utf8')).toBe('mine');
    await cropper.cropFile(examplePhoto('dogs'), at('a.jpg'), { force: true });
    expect((await sharp(at('a.jpg')).metadata()).format).toBe('jpeg');
  });

  test('leaves nothing behind where the photo cannot be read', async () => {
    await expect(cropper.cropFile(at('gone.jpg'), at('a.jpg'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    await expect(cropper.cropFile(Buffer.from('no photo'), at('a.jpg'))).rejects.toMatchObject({
      code: expect.stringMatching(/^INPUT_/) as string,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
