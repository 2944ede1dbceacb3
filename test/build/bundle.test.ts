import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleChecksum, openBundle } from '../../native/install/bundle.mjs';
import { unpackLlama } from '../../native/install/llama-source.mjs';
import { findLlama } from '../../native/install/packages.mjs';
import { testWith } from '../support/system-tools.js';
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

  testWith(['git'], 'holds the files that git finds in it', () => {
    const clone = join(dir, 'clone');
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 24 });
    git('clone', '--quiet', '--bare', bundlePath, clone);
    expect(bundle.commit).toBe(git('-C', clone, 'rev-parse', 'HEAD').trim());
    const listed = git('-C', clone, 'ls-tree', '-r', '-z', 'HEAD').split('\0').filter(Boolean).sort();
    const found = bundle.files().map(({ mode, id, path }) => `${mode.toString(8)} blob ${id}\t${path}`);
    expect(found.sort()).toEqual(listed);
  });

  test('gives every file of the tree with bytes that hash to the id in the tree', () => {
    const files = bundle.files();
    expect(files.length).toBeGreaterThan(1000);
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
    expect(written.length).toBeLessThan(bundle.files().length / 10);

    expect(unpackLlama({ bundle: bundlePath, part: 'mtmd', into }).unpacked).toBe(false);
    const stampPath = join(first.dir, '.bundle.json');
    writeFileSync(stampPath, readFileSync(stampPath, 'utf8').replace(bundleChecksum(bundlePath), '0'.repeat(40)));
    expect(unpackLlama({ bundle: bundlePath, part: 'mtmd', into }).unpacked).toBe(true);
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1000), /checksum does not match/],
    ['with one byte changed', (bytes: Buffer) => flipByte(bytes, bytes.length >> 1), /checksum does not match/],
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
