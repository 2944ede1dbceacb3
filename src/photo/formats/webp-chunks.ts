import type { Size } from '../../base/geometry.js';
import type { CropMetadata } from './types.js';

interface RiffChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Bits of the VP8X chunk (WebP Container Specification). */
const FLAG = { xmp: 0x04, exif: 0x08, alpha: 0x10 } as const;

/** More than the longest animation has. */
const MAX_CHUNKS = 65_536;

export function webpChunks(bytes: Uint8Array): RiffChunk[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: RiffChunk[] = [];
  let at = 12;
  while (at + 8 <= buffer.length && chunks.length < MAX_CHUNKS) {
    const length = buffer.readUInt32LE(at + 4);
    if (at + 8 + length > buffer.length) break;
    chunks.push({ type: buffer.toString('latin1', at, at + 4), data: buffer.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return chunks;
}

/** Frames of an animation, 1 without. */
export function webpFrames(bytes: Uint8Array): number {
  return Math.max(1, webpChunks(bytes).filter(({ type }) => type === 'ANMF').length);
}

/** The still WebP with metadata, in the extended form of the format, which alone has room for it. */
export function withWebpMetadata(webp: Uint8Array, size: Size, { exif, xmp }: CropMetadata): Uint8Array {
  const chunks = webpChunks(webp);
  const extended = chunks.find(({ type }) => type === 'VP8X');
  const head = Buffer.from(extended?.data ?? extendedHead(chunks, size));
  if (exif) head[0] = head[0]! | FLAG.exif;
  if (xmp) head[0] = head[0]! | FLAG.xmp;
  const all: RiffChunk[] = [
    { type: 'VP8X', data: head },
    ...chunks.filter((chunk) => chunk !== extended),
    ...(exif ? [{ type: 'EXIF', data: exif }] : []),
    ...(xmp ? [{ type: 'XMP ', data: Buffer.from(xmp, 'utf8') }] : []),
  ];
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...all.map(encodeChunk)]);
  return encodeChunk({ type: 'RIFF', data: body });
}

function extendedHead(chunks: readonly RiffChunk[], { width, height }: Size): Uint8Array {
  const head = Buffer.alloc(10);
  const lossless = chunks.find(({ type }) => type === 'VP8L')?.data;
  // Bit 28 behind the signature byte: alpha_is_used (WebP Lossless Bitstream Specification).
  if (lossless && lossless.length > 4 && (lossless[4]! & 0x10) !== 0) head[0] = FLAG.alpha;
  head.writeUIntLE(width - 1, 4, 3);
  head.writeUIntLE(height - 1, 7, 3);
  return head;
}

function encodeChunk({ type, data }: RiffChunk): Uint8Array {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
