import path from 'node:path';
import { expect, test } from 'vitest';
import { inspectGguf, readGguf, renderSummary, writeGguf, writeToyPair } from '../../gguf/index.js';
import { referenceFile } from './reference.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();

test('a summary adds up tensors, parameters and bytes by type', async () => {
  const { mmprojPath } = await writeToyPair(path.join(folder, 'q8'), { type: 'Q8_0' });
  const header = await readGguf(mmprojPath);
  const summary = inspectGguf(header);
  expect(summary).toMatchObject({ architecture: 'clip', name: 'Framewright toy', nTensors: 39, nParams: 240_896 });
  // 2 patch kernels of 14 x 14 x 3 x 64 in F16; the matrices in Q8_0, 34 bytes for 32; the rest vectors in F32.
  expect(summary.types).toEqual([
    { type: 'Q8_0', nTensors: 16, nParams: 163_840, nBytes: 174_080 },
    { type: 'F16', nTensors: 2, nParams: 75_264, nBytes: 150_528 },
    { type: 'F32', nTensors: 21, nParams: 1792, nBytes: 7168 },
  ]);
  expect(summary.tensorBytes).toBe(174_080 + 150_528 + 7168);
  expect(summary.tensors[0]!.offset).toBe(header.dataStart);
});

test('every value type has a form in JSON, and long arrays are cut', async () => {
  const file = path.join(folder, 'values.gguf');
  const { metadata, ...rest } = referenceFile();
  const infinite = { type: 'float32', value: Infinity } as const;
  const long = { type: 'array', itemType: 'int32', value: Int32Array.from({ length: 20 }, (_, i) => i) } as const;
  await writeGguf(file, { ...rest, metadata: new Map([...metadata, ['infinite', infinite], ['long', long]]) });
  const summary = inspectGguf(await readGguf(file));
  const shown = new Map(summary.metadata.map((entry) => [entry.key, entry]));
  expect(shown.get('a.float32')?.value).toBe(0.1);
  expect(shown.get('a.uint64')?.value).toBe('9223372036854775813');
  expect(shown.get('arr.bool')).toEqual({
    key: 'arr.bool',
    type: 'array of bool',
    value: [true, false, true],
    length: 3,
  });
  expect(shown.get('infinite')?.value).toBe('Infinity');
  expect(shown.get('long')).toMatchObject({ value: [0, 1, 2, 3, 4, 5, 6, 7], length: 20 });
  expect(JSON.parse(JSON.stringify(summary))).toEqual({ ...summary });
});

test('the text names what is in the file, one line an entry, tensors on demand', async () => {
  const { textPath } = await writeToyPair(path.join(folder, 'f32'), {});
  const summary = inspectGguf(await readGguf(textPath));
  const text = renderSummary(summary);
  expect(text).toContain('Framewright toy, architecture qwen2vl (Qwen2.5-VL), GGUF version 3');
  expect(text).toMatch(/qwen2vl\.rope\.dimension_sections +array of int32 +\[4, 6, 6, 0\]/);
  expect(text).toMatch(/tokenizer\.ggml\.tokens +array of string +\["!", .*270 items\]/);
  expect(text).not.toContain('blk.0.attn_q.weight');
  expect(renderSummary(summary, { tensors: true })).toMatch(/blk\.0\.attn_k\.weight +F32 +64 x 32 +\d+ +8\.0 KiB/);
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(170);
});
