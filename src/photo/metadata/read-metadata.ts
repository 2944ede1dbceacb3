import { defined } from '../../base/defined.js';
import type { Photo } from '../decode.js';
import { withoutExifSignature } from '../formats/exif-orientation.js';
import { readGif } from '../formats/gif-blocks.js';
import { isKind, JPEG_MARKER, jpegSegments, type JpegSegment } from '../formats/jpeg-segments.js';
import { iptcIn, iptcResource } from '../formats/photoshop.js';
import { readPng } from '../formats/png-photo.js';
import { asUtf8, decodeXmlText } from '../formats/xml-text.js';
import { exifOfTiff, iptcOfTiff } from '../formats/tiff-exif.js';
import type { CropMetadata } from '../formats/types.js';

export const SIGNATURE = {
  exif: 'Exif\0\0',
  xmp: 'http://ns.adobe.com/xap/1.0/\0',
  extendedXmp: 'http://ns.adobe.com/xmp/extension/\0',
  photoshop: 'Photoshop 3.0\0',
} as const;

/** Everything a photo's file says beside pixels and colour profile, as it stands there. */
export function readMetadata(photo: Photo): CropMetadata {
  const { bytes, format, stored } = photo;
  switch (format) {
    case 'jpeg':
      return jpegMetadata(jpegSegments(bytes));
    case 'png': {
      const { exif, xmp, photoshop, texts } = readPng(bytes);
      return {
        ...defined({ exif }),
        ...textOf(xmp),
        ...(photoshop && { photoshop: asResources(photoshop) }),
        texts,
      };
    }
    case 'gif':
      return textOf(readGif(bytes).xmp);
    case 'tiff': {
      const exif = exifOfTiff(bytes);
      const own = stored.tifftagPhotoshop;
      const record = iptcOfTiff(bytes);
      const iptc = record && !(own && iptcIn(own)) ? iptcResource(record) : undefined;
      const photoshop = (own ?? iptc) ? Buffer.concat([own, iptc].filter((part) => part !== undefined)) : undefined;
      return { ...defined({ exif }), ...textOf(stored.xmp), ...defined({ photoshop }) };
    }
    default:
      return { ...(stored.exif && { exif: withoutExifSignature(stored.exif) }), ...textOf(stored.xmp) };
  }
}

function jpegMetadata(segments: readonly JpegSegment[]): CropMetadata {
  const payloads = (marker: number, signature: string): Uint8Array[] =>
    segments
      .filter((segment) => segment.marker === marker && isKind(segment, signature))
      .map(({ payload }) => payload.subarray(signature.length));
  const exif = payloads(JPEG_MARKER.app1, SIGNATURE.exif)[0];
  const photoshop = payloads(JPEG_MARKER.app13, SIGNATURE.photoshop);
  return {
    ...defined({ exif }),
    ...textOf(payloads(JPEG_MARKER.app1, SIGNATURE.xmp)[0]),
    extendedXmp: payloads(JPEG_MARKER.app1, SIGNATURE.extendedXmp),
    ...(photoshop.length > 0 && { photoshop: Buffer.concat(photoshop) }),
    comments: segments.filter(({ marker }) => marker === JPEG_MARKER.comment).map(({ payload }) => payload),
  };
}

function asResources(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '8BIM' ? bytes : iptcResource(bytes);
}

/** XMP is UTF-8 in a JPEG, and may be UTF-16 elsewhere; what is neither is damage. */
function textOf(bytes: Uint8Array | undefined): { xmp?: string } {
  const decoded = bytes && decodeXmlText(bytes);
  return decoded ? { xmp: asUtf8(decoded) } : {};
}
