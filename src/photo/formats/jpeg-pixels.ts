import { isKind, JPEG_MARKER, type JpegSegment } from './jpeg-segments.js';

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const SEQUENTIAL = [0xc0, 0xc1];
const APP14 = 0xee;

/**
 * The first picture of a JPEG for the decoder, up to its end and with the segments alone that say how its pixels are
 * meant: without those, libvips takes a file of two pictures for an HDR photo and hands it to libuhdr, which writes to
 * the process's stdout what it thinks of damaged XMP (2.0.2), and decodes the map for nothing.
 *
 * What some phones and scanners write and all decoders put up with is set right, so that the decoder's warnings tell of
 * damage alone: bytes between segments, a JFIF version of its own, parameters of a scan that sequential ones lack.
 */
export function jpegPixels(bytes: Uint8Array): Uint8Array {
  const jpeg = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [jpeg.subarray(0, 2)];
  let isSequential = false;
  let at = 2;
  for (;;) {
    const markerAt = jpeg.indexOf(0xff, at);
    const marker = markerAt < 0 ? undefined : jpeg[markerAt + 1];
    if (marker === 0xff || marker === 0) {
      at = markerAt + 1;
      continue;
    }
    if (marker === undefined || marker === SOS || marker === EOI || marker === SOI || markerAt + 4 > jpeg.length) {
      parts.push(...scans(jpeg, Math.max(2, markerAt), isSequential));
      break;
    }
    const end = markerAt + 2 + jpeg.readUInt16BE(markerAt + 2);
    const segment = { marker, at: markerAt, end, payload: jpeg.subarray(markerAt + 4, end) };
    isSequential ||= SEQUENTIAL.includes(marker);
    if (isKept(segment)) parts.push(withPlainVersion(jpeg, segment));
    at = end;
  }
  const nBytes = parts.reduce((sum, { length }) => sum + length, 0);
  const isSame = nBytes === bytes.length && parts.every(({ buffer }) => buffer === bytes.buffer);
  return isSame ? bytes : Buffer.concat(parts, nBytes);
}

function isKept(segment: JpegSegment): boolean {
  const { marker } = segment;
  if (marker < JPEG_MARKER.app0 || marker > 0xef) return marker !== JPEG_MARKER.comment;
  if (marker === JPEG_MARKER.app0 || marker === APP14) return true;
  if (marker === JPEG_MARKER.app1) return isKind(segment, 'Exif\0');
  return marker === JPEG_MARKER.app2 && isKind(segment, 'ICC_PROFILE\0');
}

function withPlainVersion(jpeg: Buffer, segment: JpegSegment): Uint8Array {
  const { at, end, payload } = segment;
  if (segment.marker !== JPEG_MARKER.app0 || !isKind(segment, 'JFIF\0') || payload[5] === 1) {
    return jpeg.subarray(at, end);
  }
  const changed = Uint8Array.from(jpeg.subarray(at, end));
  if (changed.length > 9) changed[9] = 1;
  return changed;
}

/** From the first scan to the end of the picture, or as far as it goes. */
function scans(jpeg: Buffer, from: number, isSequential: boolean): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let keptFrom = from;
  let at = from;
  for (;;) {
    const markerAt = jpeg.indexOf(0xff, at);
    const marker = markerAt < 0 ? undefined : jpeg[markerAt + 1];
    if (marker === undefined) return [...parts, jpeg.subarray(keptFrom)];
    if (marker === 0xff) {
      at = markerAt + 1;
    } else if (marker === EOI) {
      return [...parts, jpeg.subarray(keptFrom, markerAt + 2)];
    } else if (marker === SOI) {
      // Another picture begins in the middle of this one, which is therefore cut short.
      return [...parts, jpeg.subarray(keptFrom, markerAt)];
    } else if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) {
      at = markerAt + 2;
    } else {
      const end = markerAt + 2 + ((jpeg[markerAt + 2] ?? 0) << 8) + (jpeg[markerAt + 3] ?? 2);
      if (isSequential && marker === SOS && end <= jpeg.length && end >= markerAt + 8) {
        // Of all coefficients (0 to 63), at full precision.
        parts.push(jpeg.subarray(keptFrom, end - 3), Uint8Array.of(0, 63, 0));
        keptFrom = end;
      }
      at = Math.max(markerAt + 2, Math.min(end, jpeg.length));
    }
  }
}

/**
 * Whether a picture may have bytes between its last scan and its end, which no decoder minds: in a progressive one they
 * are met before the pixels are made, and warned of as damage is.
 */
export function mayBePadded(pixels: Uint8Array): boolean {
  return pixels.at(-1) === EOI && pixels.at(-3) === 0;
}
