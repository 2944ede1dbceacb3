import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { intersectionOverUnion, type Box } from '../../src/base/geometry.js';
import { openCropper, type CropResult } from '../../src/index.js';
import { readOwn } from '../../src/eval/datasets/own.js';
import { closeMethods } from '../../src/eval/methods/registry.js';
import { retrievalMethods } from '../../src/eval/methods/retrieval.js';
import { framewright } from '../cli/run.js';
import { examplePhoto, projectFile } from '../support/photos.js';

const NAMES = ['dogs', 'mountains', 'pagoda', 'dandelion', 'dust-bowl-home'] as const;
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-retrieval-'));
const archive = path.join(folder, 'archive');
const index = path.join(folder, 'mine.index.json');
/** As shares of the sides: each photo is cropped in its own way. */
const crops = new Map<string, readonly [number, number, number, number]>();

/** Each example upright and upside down: ten photos that are not alike, cropped in Lightroom's way. */
beforeAll(async () => {
  mkdirSync(archive);
  for (const [i, name] of NAMES.entries()) {
    for (const [j, angle] of [0, 180].entries()) {
      const file = `${name}-${angle}`;
      await sharp(examplePhoto(name))
        .rotate(angle)
        .resize(400, 400, { fit: 'inside' })
        .jpeg()
        .toFile(path.join(archive, `${file}.jpg`));
      const crop = [0.05 * i, 0.1 + 0.15 * j, 0.5 + 0.1 * i, 0.8 + 0.1 * j] as const;
      crops.set(file, crop);
      writeFileSync(path.join(archive, `${file}.xmp`), sidecar(crop));
    }
  }
  const built = await framewright(['index', 'build', archive, '-o', index, '--json']);
  expect(built.stderr).toBe('');
  expect(JSON.parse(built.stdout)).toEqual({ path: index, nPhotos: 10, model: 'nano' });
});
afterAll(() => rmSync(folder, { recursive: true }));

function sidecar([left, top, right, bottom]: readonly number[]): string {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:HasCrop="True"
 crs:CropTop="${top}" crs:CropLeft="${left}" crs:CropBottom="${bottom}" crs:CropRight="${right}" crs:CropAngle="0"/>
</rdf:RDF></x:xmpmeta>`;
}

function shareOf({ photo, candidates, best }: CropResult): Box {
  const { widthPx, heightPx } = photo;
  return candidates[best]!.box.map((edge, i) => edge / (i % 2 === 0 ? widthPx : heightPx)) as unknown as Box;
}

test('a photo is cropped as the one it is like was, mirrored where it is mirrored, and says which that was', async () => {
  await using cropper = await openCropper({ engine: 'retrieval', index });
  expect(cropper.identity).toMatchObject({ name: 'nano', loras: [] });
  expect(cropper.model).toBeUndefined();
  for (const name of NAMES) {
    const crop = crops.get(`${name}-0`)!;
    const photo = await sharp(examplePhoto(name))
      .resize(700, 700, { fit: 'inside' })
      .modulate({ brightness: 1.1 })
      .png()
      .toBuffer();
    const result = await cropper.crop(photo);
    expect(result.engine).toBe('retrieval');
    expect(result.why).toContain(`${name}-0.jpg`);
    expect(intersectionOverUnion(shareOf(result), [...crop])).toBeGreaterThan(0.95);
    const turned = await cropper.crop(await sharp(photo).flop().toBuffer());
    expect(turned.why).toContain('mirrored');
    expect(intersectionOverUnion(shareOf(turned), [1 - crop[2], crop[1], 1 - crop[0], crop[3]])).toBeGreaterThan(0.95);
    const again = await cropper.crop(photo);
    expect({ ...again, timingsMs: {} }).toEqual({ ...result, timingsMs: {} });
  }
  const square = await cropper.crop(examplePhoto('dogs'), { aspect: '1:1' });
  expect(square.crop.width).toBe(square.crop.height);
});

test('the index that comes with the package crops any photo, and none of its photos has a crop outside', async () => {
  await using cropper = await openCropper({ engine: 'retrieval' });
  const { crop, confidence, model } = await cropper.crop(examplePhoto('pagoda'));
  expect(crop.width).toBeGreaterThan(100);
  expect(confidence).toBeGreaterThan(0);
  expect(model?.promptVersion).toMatch(/^retrieval\/\d+\+[\da-f]{8}$/);
});

test('every photo of the index of the package is credited, and no other is', () => {
  const { photos } = JSON.parse(readFileSync(projectFile('gguf', 'nano', 'crops.index.json'), 'utf8')) as {
    photos: { name: string }[];
  };
  const credits = readFileSync(projectFile('gguf', 'nano', 'crops.index.credits.md'), 'utf8');
  const credited = [...credits.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(credited.sort()).toEqual(photos.map(({ name }) => name).sort());
});

describe('an index is made', () => {
  test('of a file of choices, the photos of which have several shapes', async () => {
    const lines = [...crops.keys()].flatMap((name) => [
      { path: `archive/${name}.jpg`, aspect: '1:1', box: [10, 20, 110, 120] },
      { path: `archive/${name}.jpg`, box: [0, 0, 200, 150] },
    ]);
    const choices = path.join(folder, 'choices.jsonl');
    writeFileSync(choices, lines.map((line) => JSON.stringify(line)).join('\n'));
    const output = path.join(folder, 'choices.index.json');
    const { code } = await framewright(['index', 'build', choices, '-o', output], { cwd: folder });
    expect(code).toBe(0);
    const built = JSON.parse(readFileSync(output, 'utf8')) as { photos: { name: string; boxes: number[][] }[] };
    expect(built.photos.map(({ boxes }) => boxes.length)).toEqual(new Array(10).fill(2));
  });

  test('of labels, telling what is left out', async () => {
    const labelled = path.join(folder, 'labelled');
    mkdirSync(labelled);
    const lines: object[] = [...crops.keys()].map((name) => {
      copyFileSync(path.join(archive, `${name}.jpg`), path.join(labelled, `${name}.jpg`));
      return { photo: `${name}.jpg`, boxes: [[0, 0, 100, 100]] };
    });
    writeFileSync(path.join(labelled, 'broken.jpg'), 'no photo');
    lines.push(
      { photo: 'broken.jpg', size: [10, 10], boxes: [[0, 0, 5, 5]] },
      { photo: 'gone.jpg', boxes: [[0, 0, 5, 5]] },
    );
    writeFileSync(path.join(labelled, 'labels.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    const { stdout, stderr, code } = await framewright(['index', 'build', labelled, '-o', path.join(folder, 'l.json')]);
    expect(code).toBe(0);
    expect(stdout).toContain('10 photos, seen by nano');
    expect(stderr).toContain('2 crops or photos are not in the index');
    expect(stderr).toContain('broken.jpg');
    expect(stderr).toContain('gone.jpg');
  });

  test('of no fewer than ten photos, over no file that is there', async () => {
    const few = path.join(folder, 'few');
    mkdirSync(few);
    for (const end of ['jpg', 'xmp'])
      copyFileSync(path.join(archive, `dogs-0.${end}`), path.join(few, `dogs-0.${end}`));
    const tooFew = await framewright(['index', 'build', few, '-o', path.join(folder, 'few.json')]);
    expect(tooFew).toMatchObject({ code: 1, stdout: '' });
    expect(tooFew.stderr).toContain('1 photo with a crop is too few for an index: it takes 10');
    const exists = await framewright(['index', 'build', archive, '-o', index]);
    expect(exists.code).not.toBe(0);
    expect(exists.stderr).toContain('--force');
  });
});

describe('is refused', () => {
  test('an index of another tower, naming the model it was made with', async () => {
    const other = JSON.parse(readFileSync(index, 'utf8')) as { tower: { name: string; mmprojSha256: string } };
    other.tower = { ...other.tower, name: 'qwen2.5-vl-7b', mmprojSha256: 'cd'.repeat(32) };
    const file = path.join(folder, 'other.json');
    writeFileSync(file, JSON.stringify(other));
    await expect(openCropper({ engine: 'retrieval', model: 'nano', index: file })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('made with the vision tower of qwen2.5-vl-7b') as string,
    });
  });

  test('an index for another engine, and one that is not there', async () => {
    await expect(openCropper({ engine: 'rules', index })).rejects.toMatchObject({ code: 'USAGE' });
    const loras = [{ path: 'any.gguf' }];
    await expect(openCropper({ engine: 'retrieval', loras })).rejects.toMatchObject({ code: 'USAGE' });
    const gone = path.join(folder, 'gone.json');
    await expect(openCropper({ engine: 'retrieval', index: gone })).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });
});

test('a run is not gone on with under another index', async () => {
  const out = path.join(folder, 'out');
  const run = (...more: string[]): ReturnType<typeof framewright> =>
    framewright(['--engine', 'retrieval', '--json', '--resume', '-o', out, path.join(archive, 'dogs-0.jpg'), ...more]);
  expect((await run('--index', index)).code).toBe(0);
  expect((await run('--index', index)).stderr).toMatch(/already|earlier|resume/i);
  const other = await run('--force');
  expect(other.code).toBe(0);
  expect((JSON.parse(other.stdout) as CropResult).why).not.toContain('dogs-');
});

test('an evaluation has it by its index and, leaving each photo out, by the data set itself', async () => {
  const lines = [...crops].map(([name, crop]) => ({
    photo: `${name}.jpg`,
    boxes: [crop.map((share) => Math.round(share * 250))],
  }));
  const labels = path.join(archive, 'eval.jsonl');
  writeFileSync(labels, lines.map((line) => JSON.stringify(line)).join('\n'));
  const dataset = await readOwn(labels);
  const methods = await retrievalMethods(dataset, index, {});
  try {
    expect(methods.map(({ name }) => name)).toEqual(['retrieval', 'retrieval, leave-one-out']);
    const photo = dataset.photos[0]! as Parameters<NonNullable<(typeof methods)[0]['crop']>>[0];
    const [known, left] = await Promise.all(methods.map((method) => method.crop!(photo, {})));
    const own = crops
      .get('dogs-0')!
      .map((share, i) => share * (i % 2 === 0 ? photo.size.width : photo.size.height)) as unknown as Box;
    expect(intersectionOverUnion(known![0]!, own)).toBeGreaterThan(0.95);
    expect(intersectionOverUnion(left![0]!, own)).toBeLessThan(0.95);
    expect(methods[0]!.key).not.toBe(methods[1]!.key);
  } finally {
    await closeMethods(methods);
  }
});
