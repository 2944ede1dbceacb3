import { TAG } from './exif-tags.js';
import { entryOf, numberOf, openTiffBlock, readIfd } from './ifd.js';

/** 1..8; undefined where an EXIF block says none. */
export function exifOrientation(exif: Uint8Array): number | undefined {
  const block = openTiffBlock(exif);
  const value = block && numberOf(block, entryOf(readIfd(block, block.firstAt), TAG.orientation));
  return value !== undefined && value >= 1 && value <= 8 ? value : undefined;
}

/** An EXIF block that says nothing else. */
export function orientationExif(orientation: number): Uint8Array {
  const exif = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  exif.writeUInt16BE(orientation, 8 + 2 + 8);
  return exif;
}

/** From the TIFF header on: some writers leave JPEG's `Exif\0\0` before it, in one case of letters or another. */
export function withoutExifSignature(exif: Uint8Array): Uint8Array {
  return /^exif\0\0/i.test(Buffer.from(exif.subarray(0, 6)).toString('latin1')) ? exif.subarray(6) : exif;
}
