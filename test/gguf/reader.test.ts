import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAX_HEADER_BYTES } from '../../gguf/reader.js';
import {
  findTensor,
  readGguf,
  readTensor,
  readTensorChunks,
  str,
  u32,
  writeGguf,
  type GgufErrorCode,
} from '../../gguf/index.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const at = (name: string): string => path.join(folder, name);

/** Header bytes, item by item: numbers are u32, bigints u64, text a string with its length, buffers as they are. */
function header(...items: readonly (number | bigint | string | Buffer)[]): Buffer {
  const pieces = items.map((item) => {
    if (Buffer.isBuffer(item)) return item;
    const bytes = Buffer.alloc(typeof item === 'number' ? 4 : 8);
    if (typeof item === 'number') bytes.writeUInt32LE(item);
    else bytes.writeBigUInt64LE(typeof item === 'bigint' ? item : BigInt(Buffer.byteLength(item)));
    return typeof item === 'string' ? Buffer.concat([bytes, Buffer.from(item)]) : bytes;
  });
  return Buffer.concat(pieces);
}

const magic = Buffer.from('GGUF');
const UINT32 = 4;
const STRING = 8;
const ARRAY = 9;
const F32 = 0;
const tensorAt = (name: string, ...rest: readonly (number | bigint)[]): Buffer => header(name, ...rest);

test.each<[string, Buffer, GgufErrorCode, RegExp]>([
  ['an empty file', Buffer.alloc(0), 'NOT_GGUF', /0 bytes are no GGUF file/],
  ['another format', Buffer.from('\x89PNG'.padEnd(64)), 'NOT_GGUF', /does not begin with "GGUF"/],
  ['version 1', header(magic, 1, 0, 0, 0n), 'UNSUPPORTED', /version 1; versions 2 and 3/],
  ['a version to come', header(magic, 4, 0n, 0n), 'UNSUPPORTED', /version 4/],
  ['a big-endian file', header(magic, 0x0300_0000, 0n, 0n), 'UNSUPPORTED', /big-endian file; convert it/],
  ['2^60 tensors', header(magic, 3, 1n << 60n, 0n), 'MALFORMED', /number of tensors is 1152921504606846976/],
  ['40000 tensors', header(magic, 3, 40000n, 0n), 'MALFORMED', /claims 40000 tensors/],
  ['a header that ends early', header(magic, 3, 0n, 1n), 'TRUNCATED', /ends inside its header/],
  ['a key longer than the file', header(magic, 3, 0n, 1n, 1n << 40n), 'TRUNCATED', /ends inside its header/],
  ['a key longer than any file', header(magic, 3, 0n, 1n, 1n << 63n), 'MALFORMED', /larger than any file/],
  ['an empty key', header(magic, 3, 0n, 1n, '', UINT32, 1), 'MALFORMED', /key 0 is empty/],
  ['a key twice', header(magic, 3, 0n, 2n, 'k', UINT32, 1, 'k', UINT32, 1), 'MALFORMED', /k is there twice/],
  ['an unknown value type', header(magic, 3, 0n, 1n, 'k', 13, 1), 'MALFORMED', /k has the unknown type 13/],
  ['an array of arrays', header(magic, 3, 0n, 1n, 'k', ARRAY, ARRAY, 1n), 'MALFORMED', /array of arrays/],
  [
    'an array of 2^50 numbers',
    header(magic, 3, 0n, 1n, 'k', ARRAY, UINT32, 1n << 50n),
    'TRUNCATED',
    /4503599627370496 bytes wanted/,
  ],
  [
    'an array of 2^50 strings',
    header(magic, 3, 0n, 1n, 'k', ARRAY, STRING, 1n << 50n),
    'TRUNCATED',
    /ends inside its header/,
  ],
  [
    'an odd alignment',
    header(magic, 3, 0n, 1n, 'general.alignment', UINT32, 48),
    'MALFORMED',
    /general.alignment must be a uint32 power of two/,
  ],
  [
    'one part of a split model',
    header(magic, 3, 0n, 2n, 'split.no', 2, Buffer.of(1, 0), 'split.count', 2, Buffer.of(3, 0)),
    'UNSUPPORTED',
    /part 2 of 3 of a split model; join the parts with llama-gguf-split --merge/,
  ],
  ['a nameless tensor', header(magic, 3, 1n, 0n, tensorAt('', 1, 4n, F32, 0n)), 'MALFORMED', /tensor 0: a name has/],
  ['a name of 64 bytes', header(magic, 3, 1n, 0n, tensorAt('n'.repeat(64), 1, 4n, F32, 0n)), 'MALFORMED', /a name has/],
  ['a name with a NUL', header(magic, 3, 1n, 0n, tensorAt('a\0b', 1, 4n, F32, 0n)), 'MALFORMED', /no NUL/],
  ['five dimensions', header(magic, 3, 1n, 0n, tensorAt('a', 5, 1n, 1n, 1n, 1n, 1n, F32, 0n)), 'MALFORMED', /5 dimen/],
  ['no dimensions', header(magic, 3, 1n, 0n, tensorAt('a', 0, F32, 0n)), 'MALFORMED', /0 dimensions/],
  ['an empty dimension', header(magic, 3, 1n, 0n, tensorAt('a', 2, 4n, 0n, F32, 0n)), 'MALFORMED', /\[4, 0\] has an/],
  [
    'more elements than a number holds, in few bytes each',
    header(magic, 3, 1n, 0n, tensorAt('a', 2, 1n << 34n, 1n << 20n, 41, 0n)),
    'MALFORMED',
    /larger than any file/,
  ],
  [
    'an offset at the end of what a number holds',
    header(magic, 3, 1n, 0n, tensorAt('a', 1, 4n, F32, (1n << 53n) - 4n)),
    'MALFORMED',
    /16 bytes at 9007199254740988 are larger/,
  ],
  [
    'dimensions whose product overflows',
    header(magic, 3, 1n, 0n, tensorAt('a', 2, 1n << 40n, 1n << 40n, F32, 0n)),
    'MALFORMED',
    /larger than any file/,
  ],
  [
    'a removed tensor type',
    header(magic, 3, 1n, 0n, tensorAt('a', 1, 32n, 31, 0n)),
    'UNSUPPORTED',
    /a: type 31 is unknown/,
  ],
  ['a broken block row', header(magic, 3, 1n, 0n, tensorAt('a', 1, 33n, 8, 0n)), 'MALFORMED', /Q8_0 needs rows of a/],
  [
    'a tensor twice',
    header(magic, 3, 2n, 0n, tensorAt('a', 1, 1n, F32, 0n), tensorAt('a', 1, 1n, F32, 32n)),
    'MALFORMED',
    /tensor a is there twice/,
  ],
])('%s is refused with %s', async (_, bytes, code, message) => {
  const file = at('hostile.gguf');
  // Trailing zeros, so that what is wrong is what the header says and not that it ends.
  await writeFile(file, code === 'TRUNCATED' || bytes.length === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(64)]));
  const refusal = expect.stringMatching(message) as string;
  await expect(readGguf(file)).rejects.toMatchObject({ name: 'GgufError', code, message: refusal });
  await expect(readGguf(file)).rejects.toThrow(file);
});

test('a header beyond the limit is refused before it is held in memory', async () => {
  const file = at('endless.gguf');
  await writeFile(file, header(magic, 3, 0n, 1n, 'k', ARRAY, UINT32, BigInt(2 ** 30)));
  await truncate(file, 5 * 2 ** 30);
  await expect(readGguf(file)).rejects.toThrow(`the header is longer than ${MAX_HEADER_BYTES} bytes`);
});

test('version 2 is read like version 3', async () => {
  const file = at('v2.gguf');
  await writeFile(file, header(magic, 2, 0n, 1n, 'k', STRING, 'v'));
  expect((await readGguf(file)).metadata.get('k')).toEqual(str('v'));
});

test('a vocabulary far larger than the read buffer is read whole', async () => {
  const file = at('words.gguf');
  const words = Array.from({ length: 100_000 }, (_, i) => `word number ${i}`);
  await writeGguf(file, {
    metadata: new Map([
      ['w', { type: 'array', itemType: 'string', value: words }],
      ['n', { type: 'array', itemType: 'int32', value: Int32Array.from(words, (_, i) => i) }],
      ['after', u32(7)],
    ]),
    tensors: [],
  });
  const { metadata } = await readGguf(file);
  expect(metadata.get('w')?.value).toEqual(words);
  expect(metadata.get('n')?.value).toHaveLength(100_000);
  expect(metadata.get('after')).toEqual(u32(7));
});

describe('tensor data', () => {
  const values = Float32Array.from({ length: 3_000_000 }, (_, i) => i);
  const file = at('data.gguf');

  test('arrives in pieces of whole blocks that make up the tensor', async () => {
    await writeGguf(file, {
      metadata: new Map(),
      tensors: [{ name: 'ramp', type: 'F32', shape: [3000, 1000], data: new Uint8Array(values.buffer) }],
    });
    const read = await readGguf(file);
    const ramp = findTensor(read, 'ramp');
    const sizes: number[] = [];
    for await (const chunk of readTensorChunks(read, ramp)) sizes.push(chunk.length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.every((size) => size % 4 === 0)).toBe(true);
    const bytes = await readTensor(read, ramp);
    expect(Buffer.compare(bytes, new Uint8Array(values.buffer))).toBe(0);
  });

  test('past the end of the file is refused', async () => {
    await truncate(file, 1_000_000);
    const read = await readGguf(file);
    await expect(readTensor(read, findTensor(read, 'ramp'))).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('that vanished since the header was read is refused', async () => {
    const shorter = at('shorter.gguf');
    await writeGguf(shorter, {
      metadata: new Map(),
      tensors: [{ name: 'a', type: 'F32', shape: [1000], data: new Uint8Array(4000) }],
    });
    const read = await readGguf(shorter);
    await truncate(shorter, 500);
    await expect(readTensor(read, findTensor(read, 'a'))).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('of an unknown name is an error that says so', async () => {
    const read = await readGguf(at('v2.gguf'));
    expect(() => findTensor(read, 'nope')).toThrow(/there is no tensor nope/);
  });
});

test.each([
  ['a file that does not exist', at('missing.gguf'), /ENOENT/],
  ['a folder', folder, /no regular file|EISDIR/],
])('%s is an IO error that names it', async (_, file, message) => {
  await expect(readGguf(file)).rejects.toMatchObject({ code: 'IO', message: expect.stringMatching(message) as string });
  await expect(readGguf(file)).rejects.toThrow(file);
});

test('an abort rejects with its reason', async () => {
  const reason = new Error('enough');
  await expect(readGguf(at('words.gguf'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
