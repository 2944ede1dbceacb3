// What a tarball of a package holds, as stage.mjs says of those it makes.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * @param {string} tarball made by npm pack: plain names below package/, or pax headers before longer ones
 * @returns {{ manifest: Record<string, any>, files: string[], sizes: [string, number][], bytes: number, unpackedBytes: number }}
 *   `sizes`: of each file, in bytes
 */
export function readPacked(tarball) {
  const packed = readFileSync(tarball);
  const tar = gunzipSync(packed);
  const sizes = [];
  let manifest;
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const text = (from, length) => tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = parseInt(text(124, 12), 8);
    const isFile = text(156, 1) === '0' || text(156, 1) === '';
    if (isFile) {
      const prefix = text(345, 155);
      const name = (prefix ? `${prefix}/` : '') + text(0, 100);
      sizes.push([name.replace(/^package\//, ''), size]);
      if (name === 'package/package.json') manifest = JSON.parse(tar.toString('utf8', at + BLOCK, at + BLOCK + size));
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (!manifest) throw new Error(`${tarball} holds no package.json`);
  const unpackedBytes = sizes.reduce((sum, [, size]) => sum + size, 0);
  return { manifest, files: sizes.map(([name]) => name), sizes, bytes: packed.length, unpackedBytes };
}
