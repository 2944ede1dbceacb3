import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readXmp } from '../../../src/photo/metadata/xmp.js';
import { cropResultSchema } from '../../../src/base/schema.js';
import { fromRaster, plain } from '../../photo/fixtures.js';
import { framewright } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-outputs-'));
  for (const name of ['a.jpg', 'b.jpg']) {
    writeFileSync(
      path.join(folder, name),
      await fromRaster(plain({ width: 120, height: 80 }, [90, 60, 30]))
        .jpeg()
        .toBuffer(),
    );
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): ReturnType<typeof framewright> =>
  framewright(['--engine', 'centre', '-a', '1:1', '--no-journal', ...args], { cwd: folder });
const at = (...names: string[]): string => path.join(folder, ...names);
const READERS =
  'framewright: the crops go into XMP sidecars, which Lightroom reads of raw files only, not of JPEG, PNG or TIFF (--xmp embed is for these); darktable reads photo.xmp when it imports a photo\n';
const MANUAL =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:HasCrop="True" crs:CropTop="0.3" crs:CropLeft="0.3" crs:CropBottom="0.9" crs:CropRight="0.9"/></rdf:RDF></x:xmpmeta>';

describe('--xmp', () => {
  test('notes the crop beside the photo instead of writing a picture', async () => {
    const { code, stdout, stderr } = await run('--xmp', 'a.jpg', 'b.jpg');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'a.xmp\nb.xmp\n', stderr: READERS });
    expect(readdirSync(folder).sort()).toEqual(['a.jpg', 'a.xmp', 'b.jpg', 'b.xmp']);
    expect(readXmp(readFileSync(at('a.xmp'), 'utf8'), 'crs:CropLeft')).toBe('0.2');
  });

  test('leaves a crop made by hand, says so, and goes on; --force writes over it', async () => {
    writeFileSync(at('a.xmp'), MANUAL);
    const { code, stdout, stderr } = await run('--xmp', '--json', '-o', 'out/', 'a.jpg', 'b.jpg');
    expect(code).toBe(0);
    expect(stderr).toBe(
      READERS + 'framewright: a.jpg has a crop made by hand, and a.xmp is left as it is; --force writes ours over it\n',
    );
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => cropResultSchema.parse(JSON.parse(line)).sidecar)).toEqual([
      { path: 'a.xmp', state: 'manual' },
      { path: 'b.xmp', state: 'written' },
    ]);
    expect(readFileSync(at('a.xmp'), 'utf8')).toBe(MANUAL);
    expect(readdirSync(at('out')).sort()).toEqual(['a-1x1.jpg', 'b-1x1.jpg']);
    expect((await run('--xmp', '--force', 'a.jpg')).stdout).toBe('a.xmp\n');
    expect(readXmp(readFileSync(at('a.xmp'), 'utf8'), 'crs:CropLeft')).toBe('0.2');
  });

  test('is not told behind the bytes of a crop on stdout', async () => {
    const { code, stdoutBytes } = await run('--xmp', '-o', '-', 'a.jpg');
    expect(code).toBe(0);
    expect([...stdoutBytes.subarray(-2)]).toEqual([0xff, 0xd9]); // where a JPEG ends
    expect(readdirSync(folder).sort()).toEqual(['a.jpg', 'a.xmp', 'b.jpg']);
  });

  test('--dry-run writes none', async () => {
    expect((await run('--xmp', '--dry-run', 'a.jpg')).stdout).toBe('a.jpg\t24,4,72,72\n');
    expect(readdirSync(folder).sort()).toEqual(['a.jpg', 'b.jpg']);
  });
});

describe('files', () => {
  test('--keep-time gives a crop its photo’s modification time, and no crop gets it without', async () => {
    const taken = new Date('2019-08-07T06:05:04.500Z');
    utimesSync(at('a.jpg'), taken, taken);
    await run('--keep-time', '--name', 'kept-{name}', 'a.jpg');
    await run('--name', 'now-{name}', 'a.jpg');
    expect(statSync(at('kept-a.jpg')).mtimeMs).toBe(taken.getTime());
    expect(statSync(at('now-a.jpg')).mtimeMs).toBeGreaterThan(taken.getTime());
  });

  test('--name is checked before anything is read or written', async () => {
    const { code, stderr } = await run('--name', '{title}', 'missing.jpg');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'framewright: --name {title}: there is no {title}; there are {name}, {aspect}, {rank}, {index}, {ext}, {dir} [USAGE]\n',
    });
    expect(readdirSync(folder).sort()).toEqual(['a.jpg', 'b.jpg']);
  });
});
