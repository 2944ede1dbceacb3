import { basename, extname } from 'node:path';
import { cameraRawInTiff, isRawExtension } from './camera-raw.js';

/** The formats that are decoded. */
export type PhotoFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'heic' | 'tiff' | 'gif';

export type Recognised =
  | { readonly format: PhotoFormat }
  /** Why not and what to do, to follow the file's name: `is a PDF document: ...`. */
  | { readonly refusal: string; readonly isRaw?: true };

/** As many bytes as `recognise` looks at, except in a TIFF, whose directory may be anywhere. */
export const HEAD_BYTES = 4096;

const EXPORT_FIRST = 'export it as JPEG, PNG or TIFF first';

/** Signatures of files that people hand to a cropper by mistake or in hope; `at` is the offset, 0 without. */
const REFUSED: readonly { bytes: string; at?: number; what: string; remedy?: string }[] = [
  { bytes: 'FUJIFILMCCD-RAW', what: 'raw' },
  { bytes: 'IIRO', what: 'raw' },
  { bytes: 'IIRS', what: 'raw' },
  { bytes: 'MMOR', what: 'raw' },
  { bytes: 'IIU\0', what: 'raw' },
  { bytes: 'FOVb', what: 'raw' },
  { bytes: '\0MRM', what: 'raw' },
  { bytes: 'HEAPCCDR', at: 6, what: 'raw' },
  { bytes: '\xff\x0a', what: 'a JPEG XL image', remedy: 'convert it first, e.g. with djxl from libjxl' },
  { bytes: '\0\0\0\x0cJXL ', what: 'a JPEG XL image', remedy: 'convert it first, e.g. with djxl from libjxl' },
  { bytes: '\0\0\0\x0cjP  ', what: 'a JPEG 2000 image' },
  { bytes: 'BM', what: 'a BMP image' },
  { bytes: '8BPS', what: 'a Photoshop document' },
  { bytes: '%PDF', what: 'a PDF document' },
  { bytes: '%!PS', what: 'a PostScript document' },
  { bytes: 'PK\x03\x04', what: 'a ZIP archive or office document', remedy: 'give the photos themselves' },
  { bytes: 'GGUF', what: 'a GGUF model', remedy: 'pass it as --model and name a photo here' },
  { bytes: '\x1aE\xdf\xa3', what: 'a video', remedy: 'export a frame of it as JPEG first' },
  { bytes: 'AVI ', at: 8, what: 'a video', remedy: 'export a frame of it as JPEG first' },
  { bytes: 'v/1\x01', what: 'an OpenEXR image' },
  { bytes: '#?RADIANCE', what: 'a Radiance HDR image' },
];

/** Brands of ISO media files, by what they hold. */
const HEIC_BRANDS = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs', 'mif1', 'msf1']);
const AVIF_BRANDS = new Set(['avif', 'avis']);

/**
 * Tells by content which format a file has; the extension only helps to name camera RAW files that pass for TIFF.
 * @param bytes the whole file, or its first `HEAD_BYTES`.
 * @param name a path or file name, for the extension and for the commands in the advice.
 */
export function recognise(bytes: Uint8Array, name: string): Recognised {
  if (bytes.length === 0) return { refusal: 'is empty (0 bytes): copy it again from where it came from' };
  if (startsWith(bytes, '\xff\xd8\xff')) return { format: 'jpeg' };
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return { format: 'png' };
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return { format: 'gif' };
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return { format: 'webp' };
  if (startsWith(bytes, 'ftyp', 4)) return recogniseIsoMedia(bytes, name);
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => startsWith(bytes, magic))) {
    return isRawExtension(name) || cameraRawInTiff(bytes) ? raw(name) : { format: 'tiff' };
  }
  for (const { bytes: magic, at, what, remedy } of REFUSED) {
    if (startsWith(bytes, magic, at)) return what === 'raw' ? raw(name) : refused(what, remedy);
  }
  return recogniseText(bytes);
}

function recogniseIsoMedia(bytes: Uint8Array, name: string): Recognised {
  const end = Math.min(bytes.length, new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0));
  const brands: string[] = [];
  for (let at = 8; at + 4 <= end; at += 4) if (at !== 12) brands.push(ascii(bytes, at, 4));
  if (brands.some((brand) => AVIF_BRANDS.has(brand))) return { format: 'avif' };
  if (brands.includes('crx ')) return raw(name);
  if (brands.some((brand) => HEIC_BRANDS.has(brand))) return { format: 'heic' };
  return refused('a video', 'export a frame of it as JPEG first');
}

function recogniseText(bytes: Uint8Array): Recognised {
  const head = ascii(bytes, 0, Math.min(bytes.length, HEAD_BYTES));
  if (/^(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<svg)/i.test(head) && /<svg[\s>]/i.test(head)) {
    return refused('an SVG drawing');
  }
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)/i.test(head)) {
    return refused('a web page', 'what was saved is not the photo but the page it is shown on');
  }
  // Any byte from 0x80 up may be UTF-8 or Latin text; control characters other than white space are in no text.
  // eslint-disable-next-line no-control-regex
  if (!/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(head)) return refused('a text file', 'name a photo');
  return refused('not an image we know', 'use JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF');
}

function raw(name: string): Recognised & { readonly isRaw: true } {
  const kind = isRawExtension(name) ? ` (${extname(name).slice(1).toUpperCase()})` : '';
  const command = `darktable-cli "${basename(name)}" "${withExtension(name, '.jpg')}"`;
  return { ...refused(`a camera RAW file${kind}`, `develop it first, e.g. ${command}`), isRaw: true };
}

function refused(what: string, remedy: string = EXPORT_FIRST): { readonly refusal: string } {
  return { refusal: `is ${what}: ${remedy}` };
}

/** Of a file beside it, so never its own name: a raw file may be called x.jpg. */
function withExtension(name: string, extension: string): string {
  const stem = basename(name, extname(name));
  const isOwn = extname(name).toLowerCase() === extension;
  return `${stem}${isOwn ? '-converted' : ''}${extension}`;
}

function startsWith(bytes: Uint8Array, magic: string, at = 0): boolean {
  return ascii(bytes, at, magic.length) === magic;
}

/** Latin-1: one character a byte. */
function ascii(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', at, at + length);
}
