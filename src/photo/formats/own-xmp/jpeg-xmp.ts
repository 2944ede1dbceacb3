import {
  isKind,
  JPEG_MARKER,
  jpegSegment,
  jpegSegments,
  MAX_SEGMENT_BYTES,
  type JpegSegment,
} from '../jpeg-segments.js';
import { firstSizeIn } from '../multi-picture.js';
import { refusedPlace, type FoundPlace } from './types.js';

const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const MULTI_PICTURE = 'MPF\0';
const APP11 = 0xeb;

/**
 * An APP1 segment of its own (XMP part 3, 1.1.3), behind JFIF and EXIF where it is new. Segments that continue it
 * (extended XMP) stay as they are.
 */
export function jpegXmp(jpeg: Uint8Array): FoundPlace {
  const segments = jpegSegments(jpeg);
  const [own, another] = segments.filter((each) => each.marker === JPEG_MARKER.app1 && isKind(each, XMP));
  if (another) return refusedPlace('doubled');
  if (segments.some(isCredential)) return refusedPlace('signed');
  const list = segments.find((each) => each.marker === JPEG_MARKER.app2 && isKind(each, MULTI_PICTURE));
  const [start, end] = own ? [own.at, own.end] : [headEnd(segments), headEnd(segments)];
  // Its places count from its own: what grows before it moves both alike.
  if (list && list.at < start) return refusedPlace('unknown');
  const firstSize = firstSizeIn(jpeg);

  return {
    ...(own && { packet: own.payload.subarray(XMP.length) }),
    replaced: (packet) => {
      if (XMP.length + packet.length > MAX_SEGMENT_BYTES) return undefined;
      const segment = jpegSegment(JPEG_MARKER.app1, XMP, packet);
      const changed = Buffer.concat([jpeg.subarray(0, start), segment, jpeg.subarray(end)]);
      firstSize?.write(changed, segment.length - (end - start));
      return changed;
    },
    rest: () => {
      const rest = Buffer.concat([jpeg.subarray(0, start), jpeg.subarray(end)]);
      if (firstSize) rest.fill(0, firstSize.at - (end - start), firstSize.at - (end - start) + 4);
      return [rest];
    },
  };
}

function headEnd(segments: readonly JpegSegment[]): number {
  let end = 2;
  for (const segment of segments) {
    const isHead =
      segment.marker === JPEG_MARKER.app0 || (segment.marker === JPEG_MARKER.app1 && isKind(segment, 'Exif\0'));
    if (!isHead) break;
    end = segment.end;
  }
  return end;
}

/** C2PA's store of signed claims (C2PA technical specification 2.1, A.3.1): a JUMBF box of that label. */
function isCredential({ marker, payload }: JpegSegment): boolean {
  return marker === APP11 && Buffer.from(payload.subarray(0, 128)).includes('c2pa');
}
