import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cropResultSchema } from '../../../src/base/schema.js';
import { fromRaster, positioned } from '../../photo/fixtures.js';
import { describeWith } from '../../support/system-tools.js';
import { framewright, type RunOptions } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-lossless-'));
  const picture = fromRaster(positioned({ width: 200, height: 120 }));
  writeFileSync(at('a.jpg'), await picture.jpeg().toBuffer());
  writeFileSync(at('b.png'), await picture.png().toBuffer());
  writeFileSync(at('c.webp'), await picture.webp().toBuffer());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: string[]): string => path.join(folder, ...names);
const run = (args: readonly string[], options: RunOptions = {}): ReturnType<typeof framewright> =>
  framewright(['--engine', 'centre', '--no-journal', '--lossless', ...args], { cwd: folder, ...options });

describeWith(['jpegtran'], '--lossless', () => {
  test('cuts JPEGs, says how far their edges moved, and encodes PNGs as ever', async () => {
    const { code, stdout, stderr } = await run(['-a', '1:1', '-o', 'out/', 'a.jpg', 'b.png']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'out/a-1x1.jpg\nout/b-1x1.png\n' });
    // The middle of 200x120 px as 109x109 begins at 46,6; units have 16 px, and below there is no room for a square.
    expect(stderr).toBe(
      'framewright: a.jpg is cut without loss, with 14 px on the left and 6 px at the top more than its crop\n',
    );
    const { width, height } = await sharp(readFileSync(at('out', 'a-1x1.jpg'))).metadata();
    expect([width, height]).toEqual([123, 115]);
    const { stdout: json } = await run(['-a', '1:1', '--json', '-o', 'json/', 'a.jpg']);
    expect(cropResultSchema.parse(JSON.parse(json))).toMatchObject({
      crop: { x: 46, y: 6, width: 109, height: 109 },
      lossless: { crop: { x: 32, y: 0, width: 123, height: 115 }, movedPx: { left: 14, top: 6, right: 0, bottom: 0 } },
    });
  });

  test('fails for a photo whose crop would lose, and makes the others', async () => {
    const { code, stdout, stderr } = await run(['-a', '1:1', '-o', 'out/', 'a.jpg', 'c.webp']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: 'out/a-1x1.jpg\n' });
    expect(stderr).toContain('c.webp would lose by being encoded as WEBP');
    expect(readdirSync(at('out'))).toEqual(['a-1x1.jpg']);
    const named = await run(['-o', 'b.jpg', 'b.png']);
    expect(named.stderr).toContain('b.png would lose by being encoded as JPEG');
  });

  test.each([
    [['--size', '50x50'], '--size'],
    [['--format', 'webp'], '--format'],
    [['--quality', '80'], '--quality'],
    [['--straighten', 'auto'], '--straighten'],
    [['--fit', 'pad'], '--fit'],
  ])('is refused beside %j', async (args, option) => {
    const { code, stderr } = await run([...args, 'a.jpg']);
    expect(code).toBe(2);
    expect(stderr).toContain(`and ${option} makes other pixels of it`);
  });

  test('does not straighten or size single photos either', async () => {
    writeFileSync(at('hints.jsonl'), '{"path": "a.jpg", "straighten": 2}\n');
    const { code, stderr } = await run(['--hints', 'hints.jsonl', '-o', 'out/']);
    expect(code).toBe(4);
    expect(stderr).toContain('a.jpg is straightened, which takes new pixels');
  });
});

describe('without jpegtran', () => {
  test('nothing is begun, and the error says how to get it', async () => {
    const { code, stderr } = await run(['-o', 'out/', 'a.jpg'], { env: { PATH: folder } });
    expect(code).toBe(1);
    expect(stderr).toContain('needs the program jpegtran, which is not on PATH: install libjpeg-turbo');
    expect(readdirSync(folder)).not.toContain('out');
  });
});
