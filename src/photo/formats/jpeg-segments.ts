import type { Size } from '../../base/geometry.js';

/** A marker segment of a JPEG before its first scan. */
export interface JpegSegment {
  /** Second byte of the marker: 0xe1 is APP1. */
  readonly marker: number;
  /** Where the marker begins. */
  readonly at: number;
  /** Behind the segment. */
  readonly end: number;
  /** Without marker and length. */
  readonly payload: Uint8Array;
}

export const JPEG_MARKER = { app0: 0xe0, app1: 0xe1, app2: 0xe2, app13: 0xed, dqt: 0xdb, comment: 0xfe } as const;

/** Most bytes a segment's payload can have: its length is 16 bits and counts itself. */
export const MAX_SEGMENT_BYTES = 0xffff - 2;

/** More than any photo's metadata takes: 4 GB of full segments. Each one costs memory, however little is in it. */
const MAX_SEGMENTS = 0x10000;

/** The segments between SOI and the first scan; those that can be told, where the file is broken or has too many. */
export function jpegSegments(bytes: Uint8Array): JpegSegment[] {
  const segments: JpegSegment[] = [];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && segments.length < MAX_SEGMENTS) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    if (marker === 0xda || marker === 0xd9) break;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) break;
    segments.push({ marker, at, end, payload: bytes.subarray(at + 4, end) });
    at = end;
  }
  return segments;
}

/** A segment with its marker and length. */
export function jpegSegment(marker: number, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const payload = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const head = Buffer.from([0xff, marker, (payload.length + 2) >> 8, (payload.length + 2) & 0xff]);
  return Buffer.concat([head, payload]);
}

/** What stands at the start of a payload, NUL included, says what the segment is. */
export function isKind({ payload }: JpegSegment, signature: string): boolean {
  return (
    Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, signature.length)).toString('latin1') ===
    signature
  );
}

/** Whether a JPEG has a resolution with a unit in its JFIF header, or EXIF, which may have one. */
export function saysResolution(jpeg: Uint8Array): boolean {
  return jpegSegments(jpeg).some((segment) =>
    segment.marker === JPEG_MARKER.app0
      ? isKind(segment, 'JFIF\0') && (segment.payload[7] === 1 || segment.payload[7] === 2)
      : segment.marker === JPEG_MARKER.app1 && isKind(segment, 'Exif\0'),
  );
}

/** As its frame header says; undefined where there is none. */
export function jpegSize(jpeg: Uint8Array): Size | undefined {
  const frame = jpegSegments(jpeg).find(({ marker }) => isFrameHeader(marker))?.payload;
  if (!frame || frame.length < 6) return undefined;
  return { width: (frame[3]! << 8) | frame[4]!, height: (frame[1]! << 8) | frame[2]! };
}

/** SOF0 to SOF15 without the markers between them that mean something else (DHT, JPG, DAC). */
export function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
