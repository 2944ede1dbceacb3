import { deflateSync, inflateSync } from 'node:zlib';
import type { PngChunk } from './types.js';

export const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** The forms of metadata in a PNG's texts, by lower-case keyword: XMP's own, and ImageMagick's hexadecimal ones. */
const RAW_PROFILE = /^raw profile type (exif|app1|xmp|8bim|iptc|icc|icm)$/;

/** Longest text that is inflated, and of all texts of a file together: more than any camera's or editor's metadata. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

/** A keyword has 79 bytes at most. */
const MAX_KEYWORD_BYTES = 79;

/** What a profile's name and length before the hexadecimal digits may take. */
const MAX_PROFILE_HEAD_BYTES = 256;

/** A text that holds metadata; undefined for a title, an author and the like. */
export function metadataKindOf({ type, data }: PngChunk): string | undefined {
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return undefined;
  const keyword = keywordOf(data);
  if (keyword.toLowerCase() === XMP_KEYWORD.toLowerCase()) return 'xmp';
  return RAW_PROFILE.exec(keyword.toLowerCase())?.[1];
}

/** Inflates texts of one file until they come to the limit; what is over it is as good as damaged. */
export class PngTextReader {
  #bytesLeft = MAX_INFLATED_BYTES;

  /** The bytes that a text of metadata holds; undefined where it is damaged. */
  metadataIn(chunk: PngChunk): Uint8Array | undefined {
    const text = this.#textOf(chunk);
    if (!text) return undefined;
    const isXmp = keywordOf(chunk.data).toLowerCase() === XMP_KEYWORD.toLowerCase();
    return isXmp ? text : rawProfileIn(text);
  }

  #textOf({ type, data }: PngChunk): Uint8Array | undefined {
    const rest = data.subarray(keywordOf(data).length + 1);
    if (type === 'tEXt') return rest;
    if (type === 'zTXt') return this.inflated(rest.subarray(1));
    // Compression flag and method, language, translated keyword.
    const languageEnd = rest.indexOf(0, 2);
    const translatedEnd = languageEnd < 0 ? -1 : rest.indexOf(0, languageEnd + 1);
    if (translatedEnd < 0) return undefined;
    const text = rest.subarray(translatedEnd + 1);
    return rest[0] === 0 ? text : this.inflated(text);
  }

  inflated(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#bytesLeft <= 0) return undefined;
    try {
      const result = inflateSync(bytes, { maxOutputLength: this.#bytesLeft });
      this.#bytesLeft -= result.length;
      return result;
    } catch {
      // A bomb has cost as much as the longest text.
      this.#bytesLeft -= Math.min(this.#bytesLeft, MAX_INFLATED_BYTES / 4);
      return undefined;
    }
  }
}

/** `\nexif\n      26\n`, or exiftool's `\nIPTC profile\n      26\n`, and hexadecimal digits with white space anywhere. */
function rawProfileIn(text: Uint8Array): Uint8Array | undefined {
  const head = Buffer.from(text.buffer, text.byteOffset, Math.min(text.length, MAX_PROFILE_HEAD_BYTES));
  const match = /^\s{0,64}\S[^\n]{0,63}\n\s{0,64}(\d{1,10})(?=\s)/.exec(head.toString('latin1'));
  if (!match) return undefined;
  const length = Number(match[1]);
  const bytes = Buffer.alloc(Math.min(length, text.length >> 1));
  let nDigits = 0;
  for (let at = match[0].length; at < text.length && nDigits < 2 * bytes.length; at++) {
    const digit = hexDigit(text[at]!);
    if (digit === SPACE) continue;
    if (digit === undefined) return undefined;
    bytes[nDigits >> 1] = (bytes[nDigits >> 1]! << 4) | digit;
    nDigits++;
  }
  return bytes.subarray(0, nDigits >> 1);
}

const SPACE = -1;

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x61 + 10;
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) ? SPACE : undefined;
}

/** The data of a zTXt chunk that holds bytes as ImageMagick and exiftool write them. */
export function deflatedRawProfile(kind: string, bytes: Uint8Array): Uint8Array {
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
  const end = data.subarray(0, MAX_KEYWORD_BYTES + 1).indexOf(0);
  return Buffer.from(data.subarray(0, Math.max(0, end))).toString('latin1');
}
