import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { CropMetadata, PngChunk } from './types.js';

const SIGNATURE_BYTES = 8;
const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** What is written for the new file, or is ImageMagick's older form of it. */
const REPLACED = /^(?:XML:com\.adobe\.xmp|Raw profile type .*)$/i;

function pngChunks(bytes: Uint8Array): PngChunk[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: PngChunk[] = [];
  let at = SIGNATURE_BYTES;
  while (at + 12 <= buffer.length) {
    const length = buffer.readUInt32BE(at);
    if (at + 12 + length > buffer.length) break;
    chunks.push({ type: buffer.toString('latin1', at + 4, at + 8), data: buffer.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** Texts of a PNG that are not another form of its EXIF, XMP, IPTC or profile: title, author, software, ... */
export function pngTexts(bytes: Uint8Array): PngChunk[] {
  return pngChunks(bytes).filter(
    ({ type, data }) => ['tEXt', 'zTXt', 'iTXt'].includes(type) && !REPLACED.test(keywordOf(data)),
  );
}

/**
 * EXIF and IPTC in the hexadecimal form that ImageMagick made and exiftool writes IPTC in: `Raw profile type exif`.
 * @param kinds the words after `type`.
 */
export function rawProfile(bytes: Uint8Array, kinds: readonly string[]): Uint8Array | undefined {
  for (const { type, data } of pngChunks(bytes)) {
    if (type !== 'zTXt' && type !== 'tEXt') continue;
    const keyword = keywordOf(data);
    if (!kinds.some((kind) => keyword.toLowerCase() === `raw profile type ${kind}`)) continue;
    const rest = data.subarray(keyword.length + 1);
    const text = type === 'tEXt' ? rest : inflated(rest.subarray(1));
    const match = /^\s*\S+\s+(\d+)\s+([\da-f\s]*)$/i.exec(text ? Buffer.from(text).toString('latin1') : '');
    if (match) return Buffer.from(match[2]!.replace(/\s/g, ''), 'hex').subarray(0, Number(match[1]));
  }
  return undefined;
}

/** The PNG with metadata, before its pixels, where readers that stop there find it. */
export function withPngMetadata(png: Uint8Array, { exif, xmp, photoshop, texts }: CropMetadata): Uint8Array {
  const added = [...(texts ?? [])];
  if (exif) added.push({ type: 'eXIf', data: exif });
  if (xmp) added.push({ type: 'iTXt', data: Buffer.from(`${XMP_KEYWORD}\0\0\0\0\0${xmp}`, 'utf8') });
  if (photoshop) added.push({ type: 'zTXt', data: hexProfile('iptc', photoshop) });
  const firstData = pngChunks(png).findIndex(({ type }) => type === 'IDAT');
  const before = pngChunks(png)
    .slice(0, firstData)
    .reduce((at, { data }) => at + 12 + data.length, SIGNATURE_BYTES);
  return Buffer.concat([png.subarray(0, before), ...added.map(encodeChunk), png.subarray(before)]);
}

function hexProfile(kind: string, bytes: Uint8Array): Uint8Array {
  const hex = Buffer.from(bytes)
    .toString('hex')
    .replace(/.{1,72}/g, '$&\n');
  const text = `\n${kind}\n${String(bytes.length).padStart(8)}\n${hex}`;
  return Buffer.concat([
    Buffer.from(`Raw profile type ${kind}\0\0`, 'latin1'),
    deflateSync(Buffer.from(text, 'latin1')),
  ]);
}

function keywordOf(data: Uint8Array): string {
  return Buffer.from(data.subarray(0, Math.max(0, data.indexOf(0)))).toString('latin1');
}

/** Undefined where it is damaged, or larger than any profile is. */
function inflated(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: 64 * 1024 * 1024 });
  } catch {
    return undefined;
  }
}

function encodeChunk({ type, data }: PngChunk): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}
