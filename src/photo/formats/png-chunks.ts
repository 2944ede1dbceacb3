import { crc32, deflateSync } from 'node:zlib';
import type { CropMetadata, PngChunk } from './types.js';
import { deflatedRawProfile, XMP_KEYWORD } from './png-text.js';

const SIGNATURE_BYTES = 8;

interface PlacedChunk extends PngChunk {
  /** Where the chunk begins: its length. */
  readonly at: number;
  /** Behind its checksum. */
  readonly end: number;
}

/** The chunks as far as they are whole. */
export function* pngChunks(bytes: Uint8Array): Generator<PlacedChunk, void, undefined> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = SIGNATURE_BYTES;
  while (at + 12 <= buffer.length) {
    const end = at + 12 + buffer.readUInt32BE(at);
    if (end > buffer.length) return;
    yield { type: buffer.toString('latin1', at + 4, at + 8), data: buffer.subarray(at + 8, end - 4), at, end };
    at = end;
  }
}

/** The PNG with metadata, before its pixels, where readers that stop there find it. */
export function withPngMetadata(png: Uint8Array, { exif, xmp, photoshop, texts, cicp }: CropMetadata): Uint8Array {
  const added: PngChunk[] = [];
  if (cicp) added.push({ type: 'cICP', data: Uint8Array.of(cicp.primaries, cicp.transfer, 0, 1) });
  added.push(...(texts ?? []));
  if (exif) added.push({ type: 'eXIf', data: exif });
  if (xmp) added.push(xmpChunk(Buffer.from(xmp, 'utf8')));
  if (photoshop) added.push({ type: 'zTXt', data: deflatedRawProfile('iptc', photoshop) });
  return withChunks(png, added);
}

/** A packet as a PNG has it: neither compressed nor in any language. */
export function xmpChunk(packet: Uint8Array): PngChunk {
  return { type: 'iTXt', data: Buffer.concat([Buffer.from(`${XMP_KEYWORD}\0\0\0\0\0`, 'latin1'), packet]) };
}

export function hasPngProfile(png: Uint8Array): boolean {
  for (const { type } of pngChunks(png)) {
    if (type === 'iCCP') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

/** The PNG with a colour profile. */
export function withPngProfile(png: Uint8Array, icc: Uint8Array): Uint8Array {
  return withChunks(png, [pngProfile(icc)]);
}

export function pngProfile(icc: Uint8Array): PngChunk {
  return { type: 'iCCP', data: Buffer.concat([Buffer.from('colours\0\0', 'latin1'), deflateSync(icc)]) };
}

function withChunks(png: Uint8Array, added: readonly PngChunk[]): Uint8Array {
  const head = pngChunks(png).next().value;
  const at = head ? head.end : png.length;
  return Buffer.concat([png.subarray(0, at), ...added.map(encodePngChunk), png.subarray(at)]);
}

/** The PNG without its chunks of a type. */
export function withoutPngChunks(png: Uint8Array, removed: string): Uint8Array {
  const parts = [png.subarray(0, SIGNATURE_BYTES)];
  for (const { type, at, end } of pngChunks(png)) if (type !== removed) parts.push(png.subarray(at, end));
  return Buffer.concat(parts);
}

export function encodePngChunk({ type, data }: PngChunk): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}
