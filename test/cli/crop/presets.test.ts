import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRESET_NAMES, parsePreset } from '../../../src/cli/crop/presets.js';
import { sharp } from '../../../src/photo/vips.js';
import { framewright } from '../run.js';

let root: string;
let photo: string;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-presets-'));
  photo = path.join(root, 'photo.jpg');
  await sharp({ create: { width: 2400, height: 2400, channels: 3, background: '#789' } })
    .jpeg()
    .toFile(photo);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('--preset', () => {
  test('gives a crop of the pixels that the place takes, beside what else is asked for', async () => {
    const args = ['--engine', 'centre', '--preset', 'instagram-portrait', '--preset', 'story', '-a', '1:1', photo];
    const { code, stdout } = await framewright(args);
    expect(code).toBe(0);
    const sizes = await Promise.all(
      stdout
        .trim()
        .split('\n')
        .map(async (file) => {
          const { width, height } = await sharp(file).metadata();
          return `${width}x${height}`;
        }),
    );
    expect(sizes).toHaveLength(3);
    expect(sizes).toEqual(expect.arrayContaining(['1080x1350', '1080x1920']));
  });

  test('is taken from a config file as well', async () => {
    const config = path.join(root, 'framewright.config.json');
    writeFileSync(config, JSON.stringify({ preset: ['link-preview'] }));
    const args = ['--config', config, '--engine', 'centre', '--dry-run', '--json', photo];
    const { stdout } = await framewright(args);
    const { crop } = JSON.parse(stdout) as { crop: { width: number; height: number } };
    expect(crop.width / crop.height).toBeCloseTo(1200 / 630, 2);
  });

  test('that there is none of is refused with the one that was meant', async () => {
    const { code, stderr } = await framewright(['--preset', 'instagram-portrat', photo]);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean instagram-portrait?');
    expect((await framewright(['--preset', 'toString', photo])).stderr).toContain('There are instagram-portrait, ');
  });

  test('each is listed in the help, with its pixels', async () => {
    const { stdout } = await framewright(['crop', '--help']);
    for (const name of PRESET_NAMES) expect(stdout).toMatch(new RegExp(`^ {2}${name} +${parsePreset(name)}$`, 'm'));
  });
});
