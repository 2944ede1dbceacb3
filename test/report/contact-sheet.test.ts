import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePhoto, type Photo } from '../../src/photo/decode.js';
import { ContactSheet } from '../../src/report/contact-sheet.js';
import type { CropRect, CropResult } from '../../src/base/schema.js';
import { framewright } from '../cli/run.js';

let root: string;
let photo: Photo;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-sheet-'));
  const file = path.join(root, 'a.png');
  await sharp({ create: { width: 900, height: 600, channels: 3, background: '#40c080' } })
    .png()
    .toFile(file);
  photo = await decodePhoto(file);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function result(crop: CropRect, verdict: CropResult['verdict'] = 'crop'): CropResult {
  return { crop, verdict } as CropResult;
}
const LEFT_HALF = result({ x: 0, y: 0, width: 450, height: 600 });
const WHOLE = result({ x: 0, y: 0, width: 900, height: 600 }, 'keep');

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly at: (x: number, y: number) => number[];
}
async function sheetOf(nCells: number, added: readonly (readonly [string, CropResult])[]): Promise<Sheet> {
  const sheet = new ContactSheet(nCells);
  for (const [name, crop] of added) await sheet.add(name, photo, crop);
  const { data, info } = await sharp(await sheet.render('png'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    at: (x, y) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)],
  };
}

test('a photo is as it is inside its crop and dark outside, and one kept is bright all over', async () => {
  const cell = 480 + 24;
  const { at, width } = await sheetOf(2, [
    ['a.png', LEFT_HALF],
    ['b.png', WHOLE],
  ]);
  expect(width).toBe(24 + 2 * cell);
  const middle = 24 + 240;
  expect(at(24 + 100, middle)).toEqual([0x40, 0xc0, 0x80]);
  expect(at(24 + 380, middle)[1]).toBeLessThan(0x70);
  expect(at(24 + cell + 380, middle)).toEqual([0x40, 0xc0, 0x80]);
  expect(at(2, 2)).toEqual([0x17, 0x19, 0x1c]);
});

test('a name stands below its photo, and a number where the font lacks its letters', async () => {
  const inkIn = async (name: string): Promise<number> => {
    const { at } = await sheetOf(1, [[name, WHOLE]]);
    const bottom = 24 + 80 + 320;
    let ink = 0;
    for (let y = bottom + 2; y < bottom + 20; y++) for (let x = 24; x < 504; x++) if (at(x, y)[0]! > 0x60) ink++;
    return ink;
  };
  const [long, short, unknown] = [await inkIn('DSC_0815-edit.png'), await inkIn('1.png'), await inkIn('写真.png')];
  expect(long).toBeGreaterThan(3 * short);
  expect(short).toBeGreaterThan(0);
  expect(unknown).toBe(short);
});

test('is as high as the photos that came, and not wider than told however many there are', async () => {
  const cells = (n: number): [string, CropResult][] => Array.from({ length: n }, (_, i) => [`${i}.png`, WHOLE]);
  const whole = await sheetOf(12, cells(12));
  const part = await sheetOf(12, cells(3));
  expect(part.height).toBeLessThan(whole.height / 2);
  expect(part.width).toBeLessThan(whole.width);
  const many = await sheetOf(3000, cells(70));
  expect(many.width).toBeLessThanOrEqual(6000);
  expect(many.width).toBeGreaterThan(5000);
});

describe('framewright --contact-sheet', () => {
  test('draws every crop of a run in one picture, also of a dry run', async () => {
    const args = [
      '--engine',
      'centre',
      '-a',
      '1:1',
      '-a',
      '2:1',
      '--dry-run',
      '--contact-sheet',
      'sheet.webp',
      'a.png',
    ];
    const { code, stderr } = await framewright(args, { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { format, width } = await sharp(path.join(root, 'sheet.webp')).metadata();
    expect({ format, width }).toEqual({ format: 'webp', width: 24 + 2 * (480 + 24) });
  });

  test('is refused where its name says no picture format', async () => {
    const { code, stderr } = await framewright(['--engine', 'full', '--contact-sheet', 'sheet.pdf', 'a.png'], {
      cwd: root,
    });
    expect(code).toBe(2);
    expect(stderr).toBe('framewright: sheet.pdf names no picture format; call it e.g. sheet.jpg [USAGE]\n');
    expect(readdirSync(root)).not.toContain('a-crop.png');
  });
});
