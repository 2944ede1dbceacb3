import { createHash } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  GGML_TYPES,
  GGUF_VALUE_TYPES,
  findTensor,
  readGguf,
  readTensor,
  writeGguf,
  type GgufToWrite,
  type GgufValue,
} from '../../gguf/index.js';
import { reference, referenceFile } from './reference.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const oneTensor = (data: GgufToWrite['tensors'][number]['data']): GgufToWrite => ({
  metadata: new Map(),
  tensors: [{ name: 'a', type: 'F32', shape: [4], data }],
});

/** As the reference holds it: 64-bit integers beyond 2^53 as text. */
function plain(value: string | number | bigint | boolean): string | number | boolean {
  if (typeof value !== 'bigint') return value;
  return value > 2n ** 53n || value < -(2n ** 53n) ? value.toString() : Number(value);
}

describe('a file of every value type', () => {
  const file = process.env.KEEP_REFERENCE_GGUF ?? at('reference.gguf');

  test('is byte for byte the one llama.cpp read for the reference', async () => {
    await writeGguf(file, referenceFile());
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    expect(sha256).toBe(reference.file.sha256);
  });

  test('was read by llama.cpp as it was meant', () => {
    const { metadata, tensors } = referenceFile();
    const wanted = [...metadata].map(([key, entry]) => {
      const kind = GGUF_VALUE_TYPES[entry.type];
      if (entry.type !== 'array') return [key, kind, plain(entry.value)];
      const items = Array.from<string | number | bigint>(entry.value).map(plain);
      return [key, kind, GGUF_VALUE_TYPES[entry.itemType], items];
    });
    wanted.push(['general.alignment', GGUF_VALUE_TYPES.uint32, 64]);
    expect(reference.file.metadata).toEqual(wanted);
    expect(reference.file.version).toBe(3);
    expect(reference.file.tensors.map(({ name, typeId, ne }) => ({ name, typeId, ne }))).toEqual(
      tensors.map(({ name, type, shape }) => ({
        name,
        typeId: GGML_TYPES[type].id,
        ne: [...shape, 1, 1, 1].slice(0, 4),
      })),
    );
  });

  test('is read back by our reader as it was written', async () => {
    const written = referenceFile();
    await writeGguf(file, written);
    const header = await readGguf(file);
    const alignment: GgufValue = { type: 'uint32', value: 64 };
    expect([...header.metadata]).toEqual([...written.metadata, ['general.alignment', alignment]]);
    expect(header.dataStart).toBe(reference.file.dataStart);
    expect(header.tensors.map(({ offset, nBytes }) => ({ offset, nBytes }))).toEqual(
      reference.file.tensors.map(({ offset, nBytes }) => ({ offset, nBytes })),
    );
    for (const { name, data } of written.tensors) {
      const bytes = await readTensor(header, findTensor(header, name));
      expect(bytes).toEqual(data === 'hole' ? new Uint8Array(288) : data);
    }
  });
});

test('a tensor behind a hole of 3 GiB is where the header says', async () => {
  const large = at('large.gguf');
  await writeGguf(large, {
    metadata: new Map(),
    tensors: [
      { name: 'hole', type: 'F32', shape: [1 << 20, 768], data: 'hole' },
      { name: 'last', type: 'F32', shape: [2], data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    ],
  });
  const header = await readGguf(large);
  const last = findTensor(header, 'last');
  expect(last.offset).toBe(3 * 2 ** 30);
  expect(await readTensor(header, last)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect((await stat(large)).blocks).toBeLessThan(100);
});

test('data that arrives in pieces, in a buffer that is reused, is written in order', async () => {
  const file = at('pieces.gguf');
  await writeGguf(
    file,
    oneTensor(function* () {
      const piece = new Uint8Array(4);
      for (let i = 0; i < 4; i++) yield piece.fill(i);
    }),
  );
  const header = await readGguf(file);
  const bytes = await readTensor(header, findTensor(header, 'a'));
  expect([...bytes]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
});

test.each<[string, GgufToWrite, RegExp]>([
  ['too little data', oneTensor(new Uint8Array(12)), /a: 12 bytes of data instead of 16/],
  ['too much data', oneTensor(new Uint8Array(20)), /a: more data than the 16 bytes/],
  [
    'a row that is no whole number of blocks',
    { metadata: new Map(), tensors: [{ name: 'q', type: 'Q8_0', shape: [33], data: 'hole' }] },
    /q: Q8_0 needs rows of a multiple of 32, not 33/,
  ],
  [
    'two tensors of one name',
    { metadata: new Map(), tensors: [oneTensor('hole').tensors[0]!, oneTensor('hole').tensors[0]!] },
    /a is there twice/,
  ],
  [
    'a name of 64 bytes',
    { metadata: new Map(), tensors: [{ name: 'n'.repeat(64), type: 'F32', shape: [1], data: 'hole' }] },
    /longer than 63 bytes/,
  ],
  [
    'an empty dimension',
    { metadata: new Map(), tensors: [{ name: 'e', type: 'F32', shape: [4, 0], data: 'hole' }] },
    /\[4, 0\] is no shape/,
  ],
  [
    'five dimensions',
    { metadata: new Map(), tensors: [{ name: 'e', type: 'F32', shape: [1, 1, 1, 1, 1], data: 'hole' }] },
    /is no shape of 1 to 4/,
  ],
  ['an odd alignment', { ...oneTensor('hole'), alignment: 48 }, /48 is no power of two/],
  [
    'a number its type cannot hold',
    { metadata: new Map([['k', { type: 'uint8', value: 256 }]]), tensors: [] },
    /k: 256 is no uint8/,
  ],
])('%s is refused and leaves no file', async (_, gguf, message) => {
  const file = at('refused.gguf');
  await expect(writeGguf(file, gguf)).rejects.toMatchObject({
    code: 'WRITE',
    message: expect.stringMatching(message) as string,
  });
  expect((await readdir(folder)).filter((name) => name.startsWith('refused'))).toEqual([]);
});

test('a failed write leaves the old file as it was', async () => {
  const file = at('kept.gguf');
  await writeFile(file, 'old');
  await expect(writeGguf(file, oneTensor(new Uint8Array(3)))).rejects.toThrow();
  expect(await readFile(file, 'utf8')).toBe('old');
});

test('an abort while tensors are written rejects with its reason and leaves no file', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const endless = oneTensor(function* () {
    controller.abort(reason);
    yield new Uint8Array(4);
  });
  await expect(writeGguf(at('aborted.gguf'), endless, { signal: controller.signal })).rejects.toBe(reason);
  expect((await readdir(folder)).filter((name) => name.startsWith('aborted'))).toEqual([]);
});

test('a folder that does not exist is an error of the output that names the file', async () => {
  const file = at('nowhere/x.gguf');
  await expect(writeGguf(file, oneTensor('hole'))).rejects.toMatchObject({
    code: 'OUTPUT',
    message: expect.stringContaining(file) as string,
  });
});
