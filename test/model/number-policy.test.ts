import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { f32, mergeLoras, NUMBERS_KEY, readGguf, str, u32, writeGguf, type GgufValue } from '../../gguf/index.js';
import type { LoraSpec } from '../../src/runtime/types.js';
import { openCropper } from '../../src/cropper/cropper.js';
import { newAdapter, openAdapter, writeAdapter } from '../../src/train/native/adapter-file.js';
import { temporaryFolder } from '../gguf/temporary.js';
import { rejection } from '../photo/thrown.js';
import { examplePhoto, projectFile } from '../support/photos.js';

const folder = await temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const nano = (name: string): string => projectFile('gguf', 'nano', name);

/** The nano in a folder of its own, its manifest with this policy. */
async function nanoWith(name: string, numbers?: unknown): Promise<string> {
  await mkdir(at(name));
  for (const file of ['nano.gguf', 'nano-mmproj.gguf']) await copyFile(nano(file), path.join(at(name), file));
  const manifest = JSON.parse(await readFile(nano('manifest.json'), 'utf8')) as object;
  await writeFile(path.join(at(name), 'manifest.json'), JSON.stringify({ ...manifest, numbers }));
  return at(name);
}

/** An adapter that changes nothing, and says this of numbers. */
async function adapterWith(name: string, value?: GgufValue): Promise<string> {
  const metadata = new Map([
    ['general.architecture', str('qwen2vl')],
    ['general.type', str('adapter')],
    ['adapter.type', str('lora')],
    ['adapter.lora.alpha', f32(2)],
    ...(value ? ([[NUMBERS_KEY, value]] as const) : []),
  ]);
  const { shape } = (await readGguf(nano('nano.gguf'))).tensors.find((each) => each.name === 'blk.0.attn_q.weight')!;
  const half = (
    end: 'a' | 'b',
    sides: readonly number[],
  ): { name: string; type: 'F32'; shape: number[]; data: Uint8Array } => ({
    name: `blk.0.attn_q.weight.lora_${end}`,
    type: 'F32',
    shape: [...sides],
    data: new Uint8Array(4 * sides[0]! * sides[1]!),
  });
  await writeGguf(at(name), { metadata, tensors: [half('a', [shape[0]!, 1]), half('b', [1, shape[1]!])] });
  return at(name);
}

async function policyOf(model: string, loras: readonly LoraSpec[] = []): Promise<string | undefined> {
  await using cropper = await openCropper({ model, loras, gpu: 'cpu' });
  return cropper.model?.use.numbers;
}

let median: string;
let likeliest: string;
let silent: string;
let ownMedian: string;
beforeAll(async () => {
  median = await adapterWith('median.gguf', str('median'));
  likeliest = await adapterWith('likeliest.gguf', str('likeliest'));
  silent = await adapterWith('silent.gguf');
  ownMedian = await nanoWith('own', 'median');
});

describe('how numbers are chosen', () => {
  test('is the likeliest where nothing says otherwise, or as the manifest says', async () => {
    expect(await policyOf('nano')).toBe('likeliest');
    expect(await policyOf(ownMedian)).toBe('median');
  });

  test('is as the last adapter that says so was made for, whatever the manifest says', async () => {
    expect(await policyOf('nano', [{ path: median }])).toBe('median');
    expect(await policyOf('nano', [{ path: median }, { path: silent }])).toBe('median');
    expect(await policyOf(ownMedian, [{ path: silent }])).toBe('median');
    expect(await policyOf(ownMedian, [{ path: median }, { path: likeliest }])).toBe('likeliest');
    // One that is not applied has no say.
    expect(await policyOf('nano', [{ path: median, scale: 0 }])).toBe('likeliest');
  });

  test('stays with what was merged', async () => {
    const merged = at('merged.gguf');
    await mergeLoras(nano('nano.gguf'), [{ path: median }, { path: silent }], merged);
    expect((await readGguf(merged)).metadata.get(NUMBERS_KEY)?.value).toBe('median');
    await using cropper = await openCropper({ model: merged, mmproj: nano('nano-mmproj.gguf'), gpu: 'cpu' });
    expect(cropper.model?.use.numbers).toBe('median');
  });

  test('decides the crop, and by an adapter as by a manifest', async () => {
    const cropBy = async (model: string, loras: readonly LoraSpec[] = []): Promise<unknown> => {
      await using cropper = await openCropper({ model, loras, gpu: 'cpu', threads: 1 });
      return (await cropper.crop(examplePhoto('dogs'))).candidates.map(({ box }) => box);
    };
    const byManifest = await cropBy(ownMedian);
    expect(await cropBy('nano', [{ path: median }])).toEqual(byManifest);
    expect(await cropBy(ownMedian)).toEqual(byManifest);
    expect(await cropBy('nano')).not.toEqual(byManifest);
    expect(await cropBy(ownMedian, [{ path: likeliest }])).toEqual(await cropBy('nano'));
  });

  test('is refused where it is no policy', async () => {
    expect(await rejection(policyOf(await nanoWith('wrong', 'mean')))).toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/manifest\.json is wrong at numbers: /) as string,
    });
    for (const [name, value] of [
      ['mean', str('mean')],
      ['one', u32(1)],
    ] as const) {
      const adapter = await adapterWith(`${name}.gguf`, value);
      expect(await rejection(policyOf('nano', [{ path: adapter }]))).toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringMatching(/framewright\.numbers.*must be the string "likeliest" or "median"/) as string,
      });
    }
  });
});

test('an adapter that is written says what it was made for, and one that goes on from it knows', async () => {
  const pairs = [{ name: 'blk.0.attn_q.weight', nIn: 0, nOut: 0 }];
  const { shape } = (await readGguf(nano('nano.gguf'))).tensors.find(({ name }) => name === pairs[0]!.name)!;
  const sized = [{ ...pairs[0]!, nIn: shape[0]!, nOut: shape[1]! }];
  const adapter = { pairs: sized, rank: 2, alpha: 4, parameters: newAdapter(sized, 2, 1) };
  for (const numbers of ['median', 'likeliest', undefined] as const) {
    const file = at(`written-${numbers}.gguf`);
    await writeAdapter(file, adapter, { facts: { kind: 'sft' }, ...(numbers && { numbers }) });
    expect((await openAdapter(file, nano('nano.gguf'))).numbers).toBe(numbers);
    expect(await policyOf('nano', [{ path: file }])).toBe(numbers ?? 'likeliest');
  }
});
