import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examplePhoto } from '../../support/photos.js';
import { framewright } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-cli-animation-'));
  const frames = await Promise.all(
    [0, 20].map((top) =>
      sharp(examplePhoto('dogs')).resize(120).extract({ left: 0, top, width: 120, height: 90 }).raw().toBuffer(),
    ),
  );
  const raw = { width: 120, height: 180, channels: 3, pageHeight: 90 } as const;
  const gif = await sharp(Buffer.concat(frames), { raw })
    .gif({ delay: [50, 90] })
    .toBuffer();
  writeFileSync(path.join(folder, 'moves.gif'), gif);
  writeFileSync(path.join(folder, 'still.gif'), await sharp(gif).gif().toBuffer());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): ReturnType<typeof framewright> =>
  framewright(['--engine', 'centre', '-a', '1:1', ...args], { cwd: folder });

test('a GIF that moves becomes one, a still one a PNG', async () => {
  const { code, stdout, stderr } = await run('moves.gif', 'still.gif');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'moves-1x1.gif\nstill-1x1.png\n' });
  expect(stderr).toContain('moves.gif is an animation of 2 frames: the crop is one for all of them');
  const moves = await sharp(path.join(folder, 'moves-1x1.gif'), { animated: true }).metadata();
  expect(moves).toMatchObject({ pages: 2, delay: [50, 90], pageHeight: moves.width });
});

test('--first-frame makes a picture of it, --format jpeg too and says what is missing', async () => {
  const first = await run('--first-frame', 'moves.gif');
  expect(first).toMatchObject({ code: 0, stdout: 'moves-1x1.png\n' });
  expect(first.stderr).toContain('the first is what is cropped');
  const jpeg = await run('--format', 'jpeg', 'moves.gif');
  expect(jpeg).toMatchObject({ code: 0, stdout: 'moves-1x1.jpg\n' });
  expect(jpeg.stderr).toContain('moves.gif is cropped without its frame after the first, which only GIF and WebP hold');
});

test('from stdin to stdout it moves too', async () => {
  const stdin = readFileSync(path.join(folder, 'moves.gif'));
  const { stdoutBytes } = await framewright(['--engine', 'centre', '-'], { cwd: folder, stdin });
  expect((await sharp(stdoutBytes, { animated: true }).metadata()).pages).toBe(2);
});
