import { entryOf, openTiffBlock, readIfd, type IfdEntry, type TiffBlock } from './ifd.js';
import { isKind, JPEG_MARKER, jpegSegment, jpegSegments } from './jpeg-segments.js';

/** CIPA DC-007: further JPEGs behind the first one, listed in an APP2 segment of it. */
const SIGNATURE = 'MPF\0';
const MP_ENTRY = 0xb002;
const ENTRY_BYTES = 16;

/** The pictures that follow the first one, where the file says so and they are there. */
export function furtherPictures(jpeg: Uint8Array): Uint8Array[] {
  return furtherPlaces(jpeg).map(({ start, end }) => jpeg.subarray(start, end));
}

/** In the order of the file. Pictures do not lie in one another: of entries that say so the first one counts. */
function furtherPlaces(jpeg: Uint8Array): { start: number; end: number }[] {
  const found = listIn(jpeg);
  if (!found) return [];
  const { blockAt, block, list } = found;
  const places: { start: number; end: number }[] = [];
  for (let at = list.valueAt + ENTRY_BYTES; at + ENTRY_BYTES <= list.valueAt + list.nBytes; at += ENTRY_BYTES) {
    const start = blockAt + block.view.getUint32(at + 8, block.littleEndian);
    const end = start + block.view.getUint32(at + 4, block.littleEndian);
    if (end <= jpeg.length && jpeg[start] === 0xff && jpeg[start + 1] === 0xd8) places.push({ start, end });
  }
  let end = 0;
  return places
    .sort((a, b) => a.start - b.start)
    .filter((place) => {
      if (place.start < end) return false;
      end = place.end;
      return true;
    });
}

function listIn(
  jpeg: Uint8Array,
): { readonly blockAt: number; readonly block: TiffBlock; readonly list: IfdEntry } | undefined {
  const segment = jpegSegments(jpeg).find((each) => each.marker === JPEG_MARKER.app2 && isKind(each, SIGNATURE));
  if (!segment) return undefined;
  const blockAt = segment.at + 4 + SIGNATURE.length;
  const block = openTiffBlock(segment.payload.subarray(SIGNATURE.length));
  const list = block && entryOf(readIfd(block, block.firstAt), MP_ENTRY);
  return block && list && { blockAt, block, list };
}

/** Where the list says how many bytes the first picture has. */
export interface FirstSize {
  readonly at: number;
  /** Puts it right in a file that has so many bytes more before the list. */
  readonly write: (changed: Uint8Array, nMore: number) => void;
}

export function firstSizeIn(jpeg: Uint8Array): FirstSize | undefined {
  const found = listIn(jpeg);
  if (!found || found.list.nBytes < ENTRY_BYTES) return undefined;
  const { blockAt, block, list } = found;
  const at = blockAt + list.valueAt + 4;
  const nBytes = block.view.getUint32(list.valueAt + 4, block.littleEndian);
  return {
    at,
    write: (changed, nMore) =>
      new DataView(changed.buffer, changed.byteOffset).setUint32(at + nMore, nBytes + nMore, block.littleEndian),
  };
}

/**
 * The two as one file. The list goes to `at` in the first, between two segments.
 * @param first has no list yet.
 */
export function joinPictures(first: Uint8Array, at: number, second: Uint8Array): Uint8Array {
  const body = Buffer.alloc(8 + 2 + 3 * 12 + 4 + 2 * ENTRY_BYTES);
  const segmentBytes = 4 + SIGNATURE.length + body.length;
  const blockAt = at + 4 + SIGNATURE.length;
  const firstBytes = first.length + segmentBytes;
  body.write('MM\0*', 'latin1');
  body.writeUInt32BE(8, 4);
  body.writeUInt16BE(3, 8);
  const field = (index: number, tag: number, type: number, count: number): number => {
    const entryAt = 10 + 12 * index;
    body.writeUInt16BE(tag, entryAt);
    body.writeUInt16BE(type, entryAt + 2);
    body.writeUInt32BE(count, entryAt + 4);
    return entryAt + 8;
  };
  body.write('0100', field(0, 0xb000, 7, 4), 'latin1');
  body.writeUInt32BE(2, field(1, 0xb001, 4, 1));
  const listAt = 10 + 3 * 12 + 4;
  body.writeUInt32BE(listAt, field(2, MP_ENTRY, 7, 2 * ENTRY_BYTES));
  // Attribute 0x030000: a baseline primary image; 0: a type that the standard leaves undefined.
  body.writeUInt32BE(0x030000, listAt);
  body.writeUInt32BE(firstBytes, listAt + 4);
  body.writeUInt32BE(second.length, listAt + ENTRY_BYTES + 4);
  body.writeUInt32BE(firstBytes - blockAt, listAt + ENTRY_BYTES + 8);
  const list = jpegSegment(JPEG_MARKER.app2, SIGNATURE, body);
  return Buffer.concat([first.subarray(0, at), list, first.subarray(at), second]);
}
