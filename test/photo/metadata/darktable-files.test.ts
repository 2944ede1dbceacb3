import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodePhoto } from '../../../src/photo/decode.js';
import { embedCrop } from '../../../src/photo/metadata/embed-crop.js';
import { writeSidecar } from '../../../src/photo/metadata/sidecar.js';
import { sidecarPathOf } from '../../../src/photo/metadata/sidecar-path.js';
import { darktable, describeWith, exiftool } from '../../support/system-tools.js';
import { fromRaster, positioned } from '../fixtures.js';

const SIZE = { width: 600, height: 400 };
const CROP = { x: 150, y: 40, width: 300, height: 240 };
const ON_IMPORT = 'write_sidecar_files=on import';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-darktable-'));
  await writeFile(at('a.jpg'), await fromRaster(positioned(SIZE)).jpeg().toBuffer());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);

/** The sides of what darktable makes of the photo. */
async function developed(name: string, ...settings: string[]): Promise<readonly [number, number]> {
  darktable(at('a.jpg'), at(name), at('settings'), ...settings);
  const { width, height } = await sharp(await readFile(at(name))).metadata();
  return [width, height];
}

describeWith(['darktable', 'exiftool'], 'files that darktable wrote', () => {
  const limits = { timeout: 300_000 };

  test(
    'its sidecar is where ours goes, keeps all it says, and its crop of ours is nobody’s to overwrite',
    limits,
    async () => {
      const photo = await decodePhoto(at('a.jpg'));
      await writeSidecar(photo, CROP);
      const [width, height] = await developed('first.jpg', ON_IMPORT);
      expect(Math.abs(width - 300) + Math.abs(height - 240)).toBeLessThanOrEqual(2);
      expect(await sidecarPathOf(at('a.jpg'))).toBe(at('a.jpg.xmp'));
      const theirs = await readFile(at('a.jpg.xmp'), 'utf8');
      expect(theirs).toContain('darktable:operation="clipping"');
      expect(await writeSidecar(photo, { x: 0, y: 0, width: 300, height: 300 })).toEqual({
        path: at('a.jpg.xmp'),
        state: 'manual',
      });
      expect(await embedCrop(photo, CROP)).toEqual({ path: at('a.jpg'), state: 'manual' });
      expect(await readFile(at('a.jpg.xmp'), 'utf8')).toBe(theirs);
    },
  );

  test(
    'its sidecar without a crop takes ours and keeps its history, which is all that darktable goes by',
    limits,
    async () => {
      await developed('first.jpg', ON_IMPORT);
      const before = exiftool('-XMP-darktable:all', at('a.jpg.xmp'));
      const photo = await decodePhoto(at('a.jpg'));
      expect(await writeSidecar(photo, CROP)).toEqual({ path: at('a.jpg.xmp'), state: 'written' });
      expect(exiftool('-XMP-darktable:all', at('a.jpg.xmp'))).toBe(before);
      expect(await developed('second.jpg')).toEqual([600, 400]);
      const named = await sidecarPathOf(at('a.jpg'), undefined, 'x.xmp');
      expect((await writeSidecar(photo, CROP, { path: named })).path).toBe(at('a.xmp'));
      expect(await developed('third.jpg')).toEqual([600, 400]);
    },
  );

  test('its JPEG, with its history inside, takes a crop and keeps the history and every pixel', limits, async () => {
    await developed('b.jpg');
    const before = await readFile(at('b.jpg'));
    const history = exiftool('-XMP-darktable:all', '-XMP-xmpMM:all', at('b.jpg'));
    expect(history).toContain('History');
    expect((await embedCrop(await decodePhoto(at('b.jpg')), CROP)).state).toBe('written');
    expect(exiftool('-XMP-darktable:all', '-XMP-xmpMM:all', at('b.jpg'))).toBe(history);
    expect(exiftool('-s3', '-XMP-crs:CropLeft', at('b.jpg')).trim()).toBe('0.25');
    const pixels = (bytes: Uint8Array): Promise<Buffer> => sharp(bytes).raw().toBuffer();
    expect((await pixels(await readFile(at('b.jpg')))).equals(await pixels(before))).toBe(true);
    expect(await readdir(folder)).not.toContain('b.jpg.xmp');
  });
});
