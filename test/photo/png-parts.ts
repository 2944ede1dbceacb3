import { crc32 } from 'node:zlib';

/** A PNG chunk with its length and checksum. */
export function pngChunk(type: string, data: Uint8Array | string): Buffer {
  const body = Buffer.concat([
    Buffer.from(type, 'latin1'),
    typeof data === 'string' ? Buffer.from(data, 'latin1') : data,
  ]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** Chunks behind the header, and behind the pixels. */
export function withPngChunks(png: Buffer, before: readonly Uint8Array[], after: readonly Uint8Array[] = []): Buffer {
  const end = png.length - 12;
  return Buffer.concat([png.subarray(0, 33), ...before, png.subarray(33, end), ...after, png.subarray(end)]);
}

/** Types and data of all chunks. */
export function pngChunksOf(png: Uint8Array): { type: string; data: Buffer }[] {
  const bytes = Buffer.from(png);
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    chunks.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      data: bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)),
    });
  }
  return chunks;
}

/** ImageMagick's form of a profile. */
export function rawProfileText(kind: string, bytes: Uint8Array): string {
  const hex = Buffer.from(bytes)
    .toString('hex')
    .replace(/.{1,72}/g, '$&\n');
  return `\n${kind}\n${String(bytes.length).padStart(8)}\n${hex}`;
}
