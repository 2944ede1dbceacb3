import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { describeWith, heifEnc } from '../../support/system-tools.js';
import { framewright, withoutPackages } from '../run.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'framewright-cli-heic-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const without = withoutPackages('libheif-js');
const run = (args: string[], env = {}): ReturnType<typeof framewright> =>
  framewright(['--engine', 'rules', ...args], { cwd: folder, env });

describeWith(['heif-enc'], 'a HEIC photo', () => {
  beforeEach(() => heifEnc(examplePhoto('dogs'), path.join(folder, 'IMG_1.HEIC')));

  test('is cropped to a JPEG, or to the format asked for', async () => {
    expect(await run(['IMG_1.HEIC', '-a', '1:1'])).toMatchObject({ code: 0, stdout: 'IMG_1-1x1.jpg\n' });
    const { format, width, height } = await sharp(path.join(folder, 'IMG_1-1x1.jpg')).metadata();
    expect({ format, isSquare: width === height }).toEqual({ format: 'jpeg', isSquare: true });
    const { stdout } = await run(['.', '-a', '4:5', '--format', 'webp', '-o', 'out', '--force']);
    expect(stdout).toContain('out/IMG_1-4x5.webp\n');
  });

  test('beside a JPEG of its name has a crop of its own', async () => {
    copyFileSync(examplePhoto('pagoda'), path.join(folder, 'IMG_1.jpg'));
    const { code, stdout } = await run(['.', '-o', 'out']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'out/IMG_1-heic-crop.jpg\nout/IMG_1-crop.jpg\n' });
  });

  test('without the package is told how to install it, or left out of its folder with the same words', async () => {
    const alone = await run(['IMG_1.HEIC'], without);
    expect(alone.code).toBe(4);
    expect(alone.stderr).toContain(
      'IMG_1.HEIC is a HEIC photo, which needs a package that is not installed: npm install libheif-js',
    );
    copyFileSync(examplePhoto('pagoda'), path.join(folder, 'a.jpg'));
    const together = await run(['.'], without);
    expect(together).toMatchObject({ code: 0, stdout: 'a-crop.jpg\n' });
    expect(together.stderr).toMatch(/1 HEIC or RAW photo in \. is left out \(IMG_1\.HEIC\).*npm install libheif-js/);
  });

  test('that is damaged is that photo’s error, and the others are cropped', async () => {
    copyFileSync(examplePhoto('pagoda'), path.join(folder, 'a.jpg'));
    writeFileSync(path.join(folder, 'b.heic'), Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'));
    const { code, stdout, stderr } = await run(['.', '-o', 'out']);
    expect(code).toBe(4);
    expect(stdout.split('\n').sort()).toEqual(['', 'out/IMG_1-crop.jpg', 'out/a-crop.jpg']);
    expect(stderr).toContain('b.heic is damaged or incomplete');
  });
});
