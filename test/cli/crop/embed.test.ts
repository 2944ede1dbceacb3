import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cropResultSchema } from '../../../src/base/schema.js';
import { readXmp } from '../../../src/photo/metadata/xmp.js';
import { decodePhoto } from '../../../src/photo/decode.js';
import { readMetadata } from '../../../src/photo/metadata/read-metadata.js';
import { fromRaster, positioned } from '../../photo/fixtures.js';
import { dng } from '../../photo/raw-parts.js';
import { framewright } from '../run.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-embed-'));
  mkdirSync(at('in'));
  const picture = fromRaster(positioned({ width: 120, height: 80 }));
  writeFileSync(at('in', 'a.jpg'), await picture.jpeg().toBuffer());
  writeFileSync(at('in', 'b.png'), await picture.png().toBuffer());
  writeFileSync(at('in', 'c.tif'), await picture.tiff().toBuffer());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: string[]): string => path.join(folder, ...names);
const run = (...args: string[]): ReturnType<typeof framewright> =>
  framewright(['--engine', 'centre', '-a', '1:1', ...args], { cwd: folder });
const NAMES = ['a.jpg', 'b.png', 'c.tif'];
const JOURNAL = '.framewright-journal.jsonl';

/** The crop that a photo's own XMP says. */
async function leftOf(name: string): Promise<string | undefined> {
  const { xmp } = readMetadata(await decodePhoto(at('in', name)));
  return xmp === undefined ? undefined : readXmp(xmp, 'crs:CropLeft');
}

const bytes = (): Buffer[] => NAMES.map((name) => readFileSync(at('in', name)));

describe('--xmp embed', () => {
  test('notes each crop in the photo’s own file, writes nothing beside it and says which', async () => {
    const { code, stdout, stderr } = await run('--xmp', 'embed', 'in');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'in/a.jpg\nin/b.png\nin/c.tif\n', stderr: '' });
    expect(readdirSync(at('in')).sort()).toEqual([JOURNAL, ...NAMES].sort());
    for (const name of NAMES) expect(await leftOf(name)).toBe('0.2');
  });

  test('says so in JSON, beside pictures where these are asked for', async () => {
    const { stdout } = await run('--xmp', 'embed', '--json', '-o', 'out/', 'in/a.jpg');
    const { embedded, output, sidecar } = cropResultSchema.parse(JSON.parse(stdout));
    expect({ embedded, output, sidecar }).toEqual({
      embedded: { path: 'in/a.jpg', state: 'written' },
      output: ['out/a-1x1.jpg'],
      sidecar: undefined,
    });
  });

  test('changes no photo in a dry run, nor one whose crop somebody has made, which it names', async () => {
    const before = bytes();
    expect((await run('--xmp', 'embed', '--dry-run', 'in')).code).toBe(0);
    expect(bytes()).toEqual(before);
    const manual =
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:HasCrop="True" crs:CropTop="0.3" crs:CropLeft="0.3" crs:CropBottom="0.9" crs:CropRight="0.9"/></rdf:RDF></x:xmpmeta>';
    writeFileSync(at('in', 'a.jpg'), await sharp(before[0]).withXmp(manual).jpeg().toBuffer());
    const { stdout, stderr } = await run('--xmp', 'embed', '--no-journal', 'in');
    expect(stdout).toBe('in/b.png\nin/c.tif\n');
    expect(stderr).toBe(
      'framewright: in/a.jpg has a crop made by hand, and its XMP is left as it is; --force writes ours over it\n',
    );
    expect(await leftOf('a.jpg')).toBe('0.3');
  });

  test('goes beside what has no place for it, with a word, and fails for a photo that is write-protected', async () => {
    writeFileSync(
      at('in', 'd.webp'),
      await sharp(readFileSync(at('in', 'b.png')))
        .webp()
        .toBuffer(),
    );
    const { code, stdout, stderr } = await run('--xmp', 'embed', 'in/d.webp');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'in/d.xmp\n' });
    expect(stderr).toContain('in/d.webp is of a format (WEBP) whose XMP is not changed: its crop is noted beside it');
  });

  test('is for one crop a photo, and for files', async () => {
    const two = await run('--xmp', 'embed', '-a', '4:5', 'in/a.jpg');
    expect(two.code).toBe(2);
    expect(two.stderr).toContain("a photo's XMP holds one crop, and 2 are asked for of in/a.jpg");
    const stdin = await framewright(['--engine', 'centre', '--xmp', 'embed', '-'], {
      cwd: folder,
      stdin: readFileSync(at('in', 'a.jpg')),
    });
    expect(stdin.code).toBe(2);
  });

  test('is not taken from a config file that merely lies there; true is a sidecar', async () => {
    const config = (xmp: unknown): void => writeFileSync(at('framewright.config.json'), JSON.stringify({ xmp }));
    config('embed');
    const found = await run('in/a.jpg');
    expect(found.code).toBe(2);
    expect(found.stderr).toContain('"xmp": "embed" is not taken from a config file that was only found');
    expect((await run('--config', 'framewright.config.json', 'in/a.jpg')).stdout).toBe('in/a.jpg\n');
    config(true);
    expect((await run('in/b.png')).stdout).toBe('in/b.xmp\n');
    config('elsewhere');
    expect((await run('in/b.png')).code).toBe(2);
  });
});

describe('a run that goes on', () => {
  test('knows photos again whose own XMP another run has changed, and one that was really changed', async () => {
    expect((await run('-o', 'out', 'in')).code).toBe(0);
    const made = readdirSync(at('out')).map((name) => statSync(at('out', name)).mtimeMs);
    await run('--xmp', 'embed', 'in');
    const again = await run('-o', 'out', '--resume', 'in');
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('3 of 3 photos were done earlier');
    expect(readdirSync(at('out')).map((name) => statSync(at('out', name)).mtimeMs)).toEqual(made);

    const changed = await sharp(readFileSync(at('in', 'b.png')))
      .negate()
      .keepXmp()
      .png()
      .toBuffer();
    writeFileSync(at('in', 'b.png'), changed);
    const third = await run('-o', 'out', '--resume', '--force', 'in');
    expect(third.stderr).toContain('2 of 3 photos were done earlier');
  });

  test('embeds nothing twice, and finishes what a stopped one has left', async () => {
    await run('--xmp', 'embed', 'in');
    const before = bytes();
    const again = await run('--xmp', 'embed', '--resume', '--json', 'in');
    expect(again.stderr).toContain('3 of 3 photos were done earlier');
    expect(bytes()).toEqual(before);
    expect(
      again.stdout
        .trim()
        .split('\n')
        .map((line) => cropResultSchema.parse(JSON.parse(line)).embedded),
    ).toEqual(NAMES.map((name) => ({ path: `in/${name}`, state: 'written' })));
    // Killed when the photo had its crop and the journal not yet its line.
    const lines = readFileSync(at('in', JOURNAL), 'utf8').split('\n');
    writeFileSync(at('in', JOURNAL), lines.slice(0, 3).join('\n'));
    const third = await run('--xmp', 'embed', '--resume', 'in');
    expect(third.code).toBe(0);
    expect(bytes()).toEqual(before);
  });

  test('with sidecars is another than one without', async () => {
    await run('--xmp', 'embed', 'in');
    expect((await run('--xmp', '--resume', 'in')).stderr).toContain('0 of 3 photos were done earlier');
  });
});

describe('--xmp-name', () => {
  test('calls sidecars as Adobe’s programs or as darktable and digiKam call them', async () => {
    expect((await run('--xmp', '--xmp-name', 'x.jpg.xmp', 'in/a.jpg')).stdout).toBe('in/a.jpg.xmp\n');
    expect((await run('--xmp', '-a', '1:1', 'in/a.jpg')).stdout).toBe('');
    expect((await run('--xmp', '--xmp-name', 'x.xmp', 'in/a.jpg')).stdout).toBe('in/a.xmp\n');
  });

  test('is of no use without --xmp', async () => {
    const { code, stderr } = await run('--xmp-name', 'x.xmp', 'in/a.jpg');
    expect(code).toBe(2);
    expect(stderr).toContain('give --xmp too');
  });
});

test('--xmp before a photo, a folder or another option is a sidecar, behind -- a name', async () => {
  for (const args of [
    ['--xmp', 'in/a.jpg'],
    ['in/a.jpg', '--xmp'],
    ['--xmp', 'sidecar', 'in/a.jpg'],
    ['--xmp=sidecar', 'in/a.jpg'],
  ]) {
    rmSync(at('in', 'a.xmp'), { force: true });
    expect((await run(...args)).stdout).toBe('in/a.xmp\n');
  }
  mkdirSync(at('embed'));
  writeFileSync(at('embed', 'a.jpg'), readFileSync(at('in', 'a.jpg')));
  expect((await run('--xmp', '--', 'embed')).stdout).toBe('embed/a.xmp\n');
});

describe('raw files', () => {
  beforeEach(async () => {
    const raster = positioned({ width: 600, height: 400 });
    const preview = await fromRaster(raster).jpeg().toBuffer();
    writeFileSync(at('in', 'r.dng'), dng({ raster, preview, previewSize: raster, orientation: 6 }));
    writeFileSync(at('in', 'r.jpg'), preview);
  });

  test('are one series with each other, as pictures are', async () => {
    mkdirSync(at('burst'));
    for (const name of ['a.dng', 'b.dng']) writeFileSync(at('burst', name), readFileSync(at('in', 'r.dng')));
    const { code, stdout } = await run('--xmp', '--series', 'auto', '--json', 'burst');
    expect(code).toBe(0);
    const [lead, other] = stdout
      .trim()
      .split('\n')
      .map((line) => cropResultSchema.parse(JSON.parse(line)));
    expect(other!.series).toMatchObject({ lead: 'burst/a.dng', by: 'registration' });
    expect(other!.photo).toEqual({ ...lead!.photo, path: 'burst/b.dng' });
    expect(other!.photo.raw).toEqual({ widthPx: 600, heightPx: 400 });
    expect(other!.crop).toEqual(lead!.crop);
  });

  test('get sidecars with --xmp, named by their place or found in a folder, and pictures of that name others', async () => {
    const { code, stdout, stderr } = await run('--xmp', '--json', 'in');
    expect(code).toBe(0);
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => cropResultSchema.parse(JSON.parse(line)));
    const raw = results.find(({ photo }) => photo.path === 'in/r.dng')!;
    expect(raw.photo).toMatchObject({ widthPx: 400, heightPx: 600, raw: { widthPx: 600, heightPx: 400 } });
    expect(raw.sidecar).toEqual({ path: 'in/r.xmp', state: 'written' });
    expect(results.find(({ photo }) => photo.path === 'in/r.jpg')!.sidecar!.path).toBe('in/r.jpg.xmp');
    expect(stderr).toContain('raw files are cropped by the JPEG previews in them');
    const again = await run('--xmp', '--resume', 'in');
    expect(again.stderr).toContain('5 of 5 photos were done earlier');
  });

  test('get them with --xmp embed too, and --choices', async () => {
    const { stdout, stderr } = await run('--xmp', 'embed', 'in/r.dng', 'in/r.jpg');
    expect(stdout).toBe('in/r.xmp\nin/r.jpg\n');
    expect(stderr).not.toContain('Lightroom');
    writeFileSync(at('choices.jsonl'), '{"path": "in/r.dng", "box": [0, 0, 400, 400], "aspect": "1:1"}\n');
    const chosen = await framewright(['--choices', 'choices.jsonl', '--xmp'], { cwd: folder });
    expect(chosen.stdout).toBe('in/r.xmp\n');
    expect(Number(readXmp(readFileSync(at('in', 'r.xmp'), 'utf8'), 'crs:CropRight'))).toBeCloseTo(2 / 3, 5);
  });

  test('are refused where pictures are asked for, and left out of folders', async () => {
    const named = await run('--xmp', '-o', 'out/', 'in/r.dng');
    expect(named.code).toBe(4);
    expect(named.stderr).toContain('is a camera RAW file (DNG): develop it first');
    expect((await run('--dry-run', 'in')).stderr).toContain('1 RAW photo in in is left out');
  });
});
