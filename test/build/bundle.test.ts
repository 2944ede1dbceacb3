import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleChecksum, openBundle } from '../../native/install/bundle.mjs';
import { unpackLlama } from '../../native/install/llama-source.mjs';
import { findLlama } from '../../native/install/packages.mjs';
import { gitId, makeBundle, varint, type PackEntry } from './git-pack.js';

const bundlePath = findLlama().bundle!;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'framewright-bundle-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("node-llama-cpp's bundle", () => {
  let bundle: ReturnType<typeof openBundle>;
  beforeAll(() => {
    bundle = openBundle(bundlePath);
  });

  // `git clone gitRelease.bundle llama.cpp && git -C llama.cpp ls-files -s <path>`, git 2.39.5.
  test.each([
    ['LICENSE', 'e7dca554bcb802f98408383a864404e3aa4eacca'],
    ['tools/mtmd/mtmd.h', 'c2de26eeee2c49fe53c79d79978689e5c3c8a6af'],
    ['tools/mtmd/clip.cpp', 'feceb7ff765a12b9d0ba61a0c98368b025f83441'],
    ['vendor/stb/stb_image.h', '9eedabedc45b3e6fd88fae6f14a160b4d53272ec'],
    ['ggml/include/ggml.h', '224bdef927ac90bfa07ee39db3247b7bac4f14ec'],
    ['src/llama-ext.h', '92a759b7a0ae0b7f6b9dc9f08230f6008ae13207'],
    ['vendor/hash/sha1/sha1.c', '4d84340d43e625f90011c39d7694a48aa539d80a'],
  ])('holds %s as git checks it out', (path, id) => {
    const entry = bundle.files().find((file) => file.path === path);
    expect(entry?.id).toBe(id);
    expect(gitId('blob', bundle.read(id))).toBe(id);
  });

  test('gives every file of the tree with bytes that hash to the id in the tree', () => {
    const files = bundle.files();
    expect(files).toHaveLength(3619); // git ls-files | wc -l
    const wrong = files.filter((file) => gitId('blob', bundle.read(file.id)) !== file.id);
    expect(wrong).toEqual([]);
  });

  test('is unpacked once, only as far as libmtmd needs it, and again when the bundle changed', () => {
    const into = join(dir, 'vendor');
    const first = unpackLlama({ bundle: bundlePath, part: 'mtmd', into });
    expect(first.unpacked).toBe(true);
    expect(first.commit).toBe(bundle.commit);
    const written = readdirSync(first.dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(first.dir, name)).isFile() && name !== '.bundle.json')
      .map((name) => name.replaceAll('\\', '/'));
    const ids = new Map(bundle.files().map((file) => [file.path, file.id]));
    for (const name of written) expect(gitId('blob', readFileSync(join(first.dir, name)))).toBe(ids.get(name));
    expect(written).toContain('tools/mtmd/models/qwen2vl.cpp');
    expect(written).toContain('LICENSE');
    expect(written.length).toBeLessThan(200);

    expect(unpackLlama({ bundle: bundlePath, part: 'mtmd', into }).unpacked).toBe(false);
    const stampPath = join(first.dir, '.bundle.json');
    writeFileSync(stampPath, readFileSync(stampPath, 'utf8').replace(bundleChecksum(bundlePath), '0'.repeat(40)));
    expect(unpackLlama({ bundle: bundlePath, part: 'mtmd', into }).unpacked).toBe(true);
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1000), /checksum does not match/],
    ['with one byte changed', (bytes: Buffer) => flipByte(bytes, 20_000_000), /checksum does not match/],
    ['of another version', (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('v2', 'v3'), 'latin1'), /not a version 2/],
    ['that is an empty file', () => Buffer.alloc(0), /not a version 2/],
  ])('is refused %s', (_, damage, message) => {
    const path = join(dir, 'damaged.bundle');
    writeFileSync(path, damage(readFileSync(bundlePath)));
    expect(() => openBundle(path)).toThrow(message);
  });
});

describe('deltas of a pack', () => {
  const base = Buffer.from('the quick brown fox jumps over the lazy dog\n'.repeat(3000)); // 132,000 bytes: long copies
  const baseId = gitId('blob', base);
  // Copies 0x10000 bytes from offset 44 (a size of 0 means 0x10000), then inserts five bytes.
  const delta = Buffer.concat([varint(base.length), varint(0x10005), Buffer.from([0x81, 44, 5]), Buffer.from('hello')]);
  const child = Buffer.concat([base.subarray(44, 44 + 0x10000), Buffer.from('hello')]);
  const grandchild = Buffer.concat([child.subarray(1, 5), child.subarray(0, 0x10000)]);

  function bundleOf(blobs: readonly PackEntry[], id: string): string {
    const tree = Buffer.concat([Buffer.from('100644 file.txt\0'), Buffer.from(id, 'hex')]);
    const commit = Buffer.from(`tree ${gitId('tree', tree)}\nauthor a <a@a> 0 +0000\n\nm\n`);
    const path = join(dir, 'made.bundle');
    const entries: PackEntry[] = [...blobs, { type: 'tree', data: tree }, { type: 'commit', data: commit }];
    writeFileSync(path, makeBundle(gitId('commit', commit), entries));
    return path;
  }

  test.each<[string, readonly PackEntry[]]>([
    ['by offset', [{ type: 'blob', data: base }, { base: 0, delta }]],
    ['by id', [{ type: 'blob', data: base }, { base: baseId, delta }]],
    ['by the id of an object that comes later', [{ base: baseId, delta }, { type: 'blob', data: base }]],
  ])('are applied when they name their base %s', (_, blobs) => {
    const id = gitId('blob', child);
    const bundle = openBundle(bundleOf(blobs, id));
    expect(bundle.files()).toEqual([{ path: 'file.txt', mode: 0o100644, id }]);
    expect(bundle.read(id).equals(child)).toBe(true);
  });

  test('are applied by offset to a delta whose own base comes later', () => {
    const id = gitId('blob', grandchild);
    const twoCopies = Buffer.concat([
      varint(child.length),
      varint(grandchild.length),
      Buffer.from([0x91, 1, 4]), // 4 bytes from offset 1
      Buffer.from([0x80]), // 0x10000 bytes from offset 0
    ]);
    const bundle = openBundle(bundleOf([{ base: baseId, delta }, { base: 0, delta: twoCopies }, { type: 'blob', data: base }], id));
    expect(bundle.read(id).equals(grandchild)).toBe(true);
  });

  test('with a base that is not in the bundle are an error', () => {
    const path = bundleOf([{ base: '1'.repeat(40), delta }], baseId);
    expect(() => openBundle(path)).toThrow(/1 objects have a base that is not in the bundle/);
  });

  test('that give another size than they say are an error', () => {
    const wrong = Buffer.concat([varint(base.length), varint(9), Buffer.from([5]), Buffer.from('hello')]);
    expect(() => openBundle(bundleOf([{ type: 'blob', data: base }, { base: 0, delta: wrong }], baseId))).toThrow(/another size/);
  });
});

function flipByte(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1;
  return bytes;
}
