import { heicXmp } from '../formats/own-xmp/heic-xmp.js';
import { jpegXmp } from '../formats/own-xmp/jpeg-xmp.js';
import { pngXmp } from '../formats/own-xmp/png-xmp.js';
import { tiffXmp } from '../formats/own-xmp/tiff-xmp.js';
import type { FoundPlace } from '../formats/own-xmp/types.js';
import type { PhotoFormat } from '../sniff.js';

const PLACES: Partial<Record<PhotoFormat, (bytes: Uint8Array) => FoundPlace>> = {
  jpeg: jpegXmp,
  tiff: tiffXmp,
  png: pngXmp,
  heic: heicXmp,
};

/** Where a photo's file has its XMP, or is to have it. */
export function findXmp(bytes: Uint8Array, format: PhotoFormat): FoundPlace {
  return PLACES[format]?.(bytes) ?? { refusal: `is of a format (${format.toUpperCase()}) whose XMP is not changed` };
}
