import { defined } from '../../base/defined.js';
import type { Size } from '../../base/geometry.js';
import type { OutputFormat } from '../output-format.js';
import { withNclx } from '../formats/avif-colour.js';
import { withAvifMetadata } from '../formats/avif-items.js';
import { JPEG_MARKER, jpegSegment, jpegSegments, MAX_SEGMENT_BYTES } from '../formats/jpeg-segments.js';
import { iptcIn, resourcesButIptc, withDigestOf } from '../formats/photoshop.js';
import { withPngMetadata } from '../formats/png-chunks.js';
import { SIGNATURE } from './read-metadata.js';
import { padded, withTiffMetadata } from '../formats/tiff-exif.js';
import type { CropMetadata } from '../formats/types.js';
import { withWebpMetadata } from '../formats/webp-chunks.js';

/**
 * An encoded image with metadata put into it, its pixels untouched byte by byte. What a format has no place for is left
 * out: WebP and AVIF hold no IPTC record, PNG's texts and JPEG's comments stay in their format.
 */
export function embedMetadata(
  { bytes, format, width, height }: Size & { readonly bytes: Uint8Array; readonly format: OutputFormat },
  metadata: CropMetadata,
): Uint8Array {
  switch (format) {
    case 'jpeg':
      return withJpegMetadata(bytes, metadata);
    case 'png':
      return withPngMetadata(bytes, metadata);
    case 'webp':
      return metadata.exif || metadata.xmp ? withWebpMetadata(bytes, { width, height }, metadata) : bytes;
    case 'avif': {
      const coloured = metadata.cicp ? (withNclx(bytes, metadata.cicp) ?? bytes) : bytes;
      return metadata.exif || metadata.xmp ? (withAvifMetadata(coloured, metadata) ?? coloured) : coloured;
    }
    case 'gif':
      return bytes;
    case 'tiff': {
      const { exif, xmp, photoshop: all } = metadata;
      const record = all && iptcIn(all);
      const iptc = record && padded(record);
      const photoshop = all && resourcesButIptc(iptc ? withDigestOf(record, iptc, all) : all);
      return withTiffMetadata(bytes, {
        ...defined({ exif, xmp, iptc, photoshop }),
      });
    }
  }
}

/** Behind the JFIF header, before everything the encoder wrote. */
function withJpegMetadata(jpeg: Uint8Array, metadata: CropMetadata): Uint8Array {
  const { exif, xmp, extendedXmp = [], photoshop, comments = [] } = metadata;
  const segments: Uint8Array[] = [];
  const add = (marker: number, signature: string, payload: Uint8Array): void => {
    if (signature.length + payload.length <= MAX_SEGMENT_BYTES) segments.push(jpegSegment(marker, signature, payload));
  };
  if (exif) add(JPEG_MARKER.app1, SIGNATURE.exif, exif);
  if (xmp !== undefined) add(JPEG_MARKER.app1, SIGNATURE.xmp, Buffer.from(xmp, 'utf8'));
  for (const part of extendedXmp) add(JPEG_MARKER.app1, SIGNATURE.extendedXmp, part);
  const room = MAX_SEGMENT_BYTES - SIGNATURE.photoshop.length;
  for (let at = 0; photoshop && at < photoshop.length; at += room) {
    add(JPEG_MARKER.app13, SIGNATURE.photoshop, photoshop.subarray(at, at + room));
  }
  for (const comment of comments) add(JPEG_MARKER.comment, '', comment);
  const jfif = jpegSegments(jpeg)[0];
  const at = jfif?.marker === JPEG_MARKER.app0 ? jfif.end : 2;
  return Buffer.concat([jpeg.subarray(0, at), ...segments, jpeg.subarray(at)]);
}
