import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contains, boxOfRect, type Box } from '../../../src/base/geometry.js';
import { cropResultSchema, type CropResult } from '../../../src/base/schema.js';
import { boxOfLine, withLines, type DrawnLine } from '../../support/drawn-text.js';
import { examplePhoto } from '../../support/photos.js';
import { framewright, type Finished } from '../run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-whole-text-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const crop = (...args: readonly string[]): Promise<Finished> =>
  framewright(['--engine', 'centre', '--json', '-o', 'out/', ...args], { cwd: folder });
const resultOf = ({ stdout }: Finished): CropResult => cropResultSchema.parse(JSON.parse(stdout));

/** 900 x 600; the middle square is from 150 to 750. */
async function photoWith(name: string, ...lines: readonly DrawnLine[]): Promise<void> {
  const photo = await sharp(examplePhoto('dandelion')).resize(900, 600, { fit: 'cover' }).toBuffer();
  writeFileSync(at(name), await withLines(photo, lines));
}

const CAPTION: DrawnLine = {
  words: 'fresh bread daily',
  at: [420, 540],
  heightPx: 32,
  ink: 'rgb(20,20,40)',
  sign: 'rgb(240,235,220)',
};

const cuts = ({ crop: rect }: CropResult, line: Box): boolean => {
  const [x1, y1, x2, y2] = boxOfRect(rect);
  const overlaps = line[0] < x2 && line[2] > x1 && line[1] < y2 && line[3] > y1;
  return overlaps && !contains([x1, y1, x2, y2], line);
};

test('a caption at the edge of the crop is cut without the wish, and with it whole inside a crop of the ratio to the pixel', async () => {
  await photoWith('sign.jpg', CAPTION);
  const line = boxOfLine(CAPTION);
  const plain = resultOf(await crop('-a', '1:1', 'sign.jpg'));
  expect(cuts(plain, line)).toBe(true);
  expect(plain.text).toBeUndefined();

  const whole = resultOf(await crop('-a', '1:1', '--whole-text', '--force', 'sign.jpg'));
  expect(whole.crop.width).toBe(whole.crop.height);
  expect(contains(boxOfRect(whole.crop), line)).toBe(true);
  expect(whole.text).toHaveLength(1);
  const [left, top, right, bottom] = whole.text![0]!.box;
  for (const [edge, drawn] of [
    [left, line[0]],
    [top, line[1]],
    [right, line[2]],
  ] as const)
    expect(Math.abs(edge - drawn)).toBeLessThan(8);
  expect(bottom).toBeGreaterThan(CAPTION.at[1] - 4);
  expect(await sharp(at(whole.output![0]!)).metadata()).toMatchObject({
    width: whole.crop.width,
    height: whole.crop.height,
  });
  expect(whole.notes).toBeUndefined();
});

test('where no crop near the one decided leaves a line whole, it stays, and the notes say which text it cuts', async () => {
  const long: DrawnLine = { ...CAPTION, words: 'open daily until late on main street 24', at: [50, 300] };
  await photoWith('long.jpg', long);
  const plain = resultOf(await crop('-a', '1:1', '--dry-run', 'long.jpg'));
  const finished = await crop('-a', '1:1', '--whole-text', 'long.jpg');
  const whole = resultOf(finished);
  expect(whole.crop).toEqual(plain.crop);
  expect(whole.notes).toHaveLength(1);
  expect(whole.notes![0]).toContain('has a line of text that its crop cuts');
  expect(finished.stderr).toContain('has a line of text that its crop cuts');
});

test('what is to be kept goes before text', async () => {
  await photoWith('sign.jpg', CAPTION);
  const whole = resultOf(await crop('-a', '1:1', '--whole-text', '--keep', '160,100,100,100', 'sign.jpg'));
  expect(contains(boxOfRect(whole.crop), [160, 100, 260, 200])).toBe(true);
  expect(whole.crop.width).toBe(whole.crop.height);
});

test('beside --choices, which say where to crop, it is refused', async () => {
  writeFileSync(at('choices.jsonl'), '{"path": "sign.jpg", "box": [0, 0, 100, 100]}\n');
  await photoWith('sign.jpg', CAPTION);
  const { code, stderr } = await framewright(['--choices', 'choices.jsonl', '--whole-text'], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toContain('--whole-text changes nothing about it');
  expect(readdirSync(folder)).toEqual(['choices.jsonl', 'sign.jpg']);
});
