import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cropResultSchema, type CropResult } from '../../../src/base/schema.js';
import { readXmp } from '../../../src/photo/metadata/xmp.js';
import { drawScene, renderScene } from '../../support/drawn-scenes.js';
import { framewright, type Finished } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-straighten-'));
  for (const [name, turnedDeg] of [
    ['tilted.jpg', 3],
    ['level.jpg', 0],
  ] as const) {
    const { data, size } = await renderScene(drawScene('room', 4), turnedDeg, 1);
    writeFileSync(
      at(name),
      await sharp(data, { raw: { ...size, channels: 3 } })
        .jpeg({ quality: 95 })
        .toBuffer(),
    );
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const run = (...args: readonly string[]): Promise<Finished> => framewright([...args], { cwd: folder });
const crop = (...args: readonly string[]): Promise<Finished> => run('--engine', 'rules', '-a', '1:1', ...args);
const resultsOf = ({ stdout }: Finished): CropResult[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => cropResultSchema.parse(JSON.parse(line)));

test('auto straightens the photo that is tilted, says so, and leaves the other', async () => {
  const finished = await crop('--straighten', 'auto', '--json', '--xmp', '-o', 'out/', 'tilted.jpg', 'level.jpg');
  const [tilted, level] = resultsOf(finished);
  expect(tilted!.straighten).toMatchObject({ applied: true, from: 'verticals' });
  expect(Math.abs(tilted!.straighten!.angleDeg + 3)).toBeLessThan(0.2);
  expect(level!.straighten!.applied).toBe(false);
  expect(finished.stderr).toMatch(/tilted\.jpg is straightened by \d+(\.\d+)? degrees counterclockwise/);
  expect(finished.stderr).not.toContain('level.jpg is straightened');
  expect(Number(readXmp(readFileSync(at('tilted.xmp'), 'utf8'), 'crs:CropAngle'))).toBe(-tilted!.straighten!.angleDeg);
  expect(readXmp(readFileSync(at('level.xmp'), 'utf8'), 'crs:CropAngle')).toBe('0');
});

test.each(['NaN', '1000', 'sideways', '', '-46', '5deg'])(
  '--straighten %j is refused, with what it may be',
  async (value) => {
    const { code, stderr } = await crop('--straighten', value, 'tilted.jpg');
    expect(code).toBe(2);
    expect(stderr).toContain('It is off, auto, or degrees from -45 to 45, clockwise.');
    expect(readdirSync(folder)).toEqual(['level.jpg', 'tilted.jpg']);
  },
);

test('a choice made of a straightened photo in the page of --report is cut out of it straightened by as much', async () => {
  const [made] = resultsOf(
    await crop('--straighten', '-2.5', '--json', '--report', 'r.html', '-o', 'out/', 'tilted.jpg'),
  );
  const data = /<script[^>]*type="application\/json"[^>]*>([\s\S]*?)<\/script>/.exec(
    readFileSync(at('r.html'), 'utf8'),
  );
  const page = JSON.parse(data![1]!) as { photos: { straighten?: number; width: number; height: number }[] };
  expect(page.photos[0]).toMatchObject({ straighten: -2.5, width: made!.photo.widthPx, height: made!.photo.heightPx });
  const { x, y, width, height } = made!.crop;
  const choice = {
    path: 'tilted.jpg',
    aspect: '1:1',
    straighten: -2.5,
    box: [x, y, x + width, y + height],
    photo: made!.photo,
  };
  writeFileSync(at('c.jsonl'), JSON.stringify(choice));
  const chosen = await run('--choices', 'c.jsonl', '--json', '-o', 'chosen/');
  expect(chosen.code).toBe(0);
  expect(resultsOf(chosen)[0]).toMatchObject({ crop: made!.crop, photo: { widthPx: made!.photo.widthPx } });
  const pixels = (file: string): Promise<Buffer> => sharp(at(file)).raw().toBuffer();
  expect((await pixels('chosen/tilted-1x1.jpg')).equals(await pixels('out/tilted-1x1.jpg'))).toBe(true);
  writeFileSync(at('c.jsonl'), JSON.stringify({ ...choice, straighten: 90 }));
  expect(await run('--choices', 'c.jsonl', '-o', 'chosen/')).toMatchObject({ code: 2 });
  const beside = await run('--choices', 'c.jsonl', '--straighten', 'auto');
  expect(beside).toMatchObject({ code: 2, stderr: expect.stringContaining('--straighten changes nothing') as string });
});

test('a run that goes on shows the photos of the earlier one straightened, and does other angles anew', async () => {
  const args = ['--straighten', 'auto', '-o', 'out/', 'tilted.jpg', 'level.jpg'];
  await crop(...args);
  expect((await crop('--resume', '--report', 'r.html', ...args)).code).toBe(0);
  expect(readFileSync(at('r.html'), 'utf8')).toContain('"straighten":');
  const other = await crop('--resume', '--json', '--force', ...args.map((arg) => (arg === 'auto' ? '1' : arg)));
  expect(resultsOf(other).map(({ straighten }) => straighten?.angleDeg)).toEqual([1, 1]);
});

test('a hint straightens one photo alone', async () => {
  writeFileSync(at('h.jsonl'), JSON.stringify({ path: 'level.jpg', straighten: 2 }));
  const results = resultsOf(await crop('--hints', 'h.jsonl', '--json', '--dry-run', 'tilted.jpg', 'level.jpg'));
  expect(results.map(({ straighten }) => straighten?.angleDeg)).toEqual([undefined, 2]);
  writeFileSync(at('h.jsonl'), JSON.stringify({ path: 'level.jpg', straighten: 'sideways' }));
  expect(await crop('--hints', 'h.jsonl', '--dry-run', 'level.jpg')).toMatchObject({ code: 2 });
});

test('analyse --tilt says by how much, and how sure that is', async () => {
  const { stdout } = await run('analyse', '--tilt', 'tilted.jpg');
  const [word, json] = stdout.trimEnd().split('\n').at(-1)!.split('\t') as [string, string];
  expect(word).toBe('tilt');
  const tilt = JSON.parse(json) as { angleDeg: number; confidence: number; from: string };
  expect(Math.abs(tilt.angleDeg + 3)).toBeLessThan(0.2);
  expect(tilt).toMatchObject({ from: 'verticals' });
  const both = JSON.parse((await run('analyse', '--tilt', '--json', 'tilted.jpg')).stdout) as object;
  expect(both).toMatchObject({ tilt, elements: expect.any(Array) as unknown });
});
