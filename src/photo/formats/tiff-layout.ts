import { entryOf, numberOf, numbersOf, openTiffBlock, readIfd, TYPE } from './ifd.js';
import type { Ifd, IfdEntry, TiffBlock } from './ifd.js';

const TAG = {
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  stripByteCounts: 279,
  xResolution: 282,
  resolutionUnit: 296,
  tileOffsets: 324,
  tileByteCounts: 325,
  jpegTables: 347,
} as const;

const JPEG = 7;
const YCBCR = 6;

/** How the first picture of a TIFF is stored, as far as its decoder leaves that to others. */
export interface TiffLayout {
  /** libvips makes RGBA of these, with an alpha that nobody asked for. */
  readonly isYcbcr: boolean;
  /** Pixels an inch. */
  readonly density?: number;
  /** Strips or tiles that are JPEGs, each a whole one. */
  readonly jpegs: readonly Uint8Array[];
}

export function readTiffLayout(tiff: Uint8Array): TiffLayout {
  const block = openTiffBlock(tiff);
  const ifd = block && readIfd(block, block.firstAt);
  if (!block || !ifd) return { isYcbcr: false, jpegs: [] };
  const numberAt = (tag: number): number | undefined => numberOf(block, entryOf(ifd, tag));
  const isJpeg = numberAt(TAG.compression) === JPEG;
  const density = densityOf(block, ifd);
  return {
    isYcbcr: numberAt(TAG.photometric) === YCBCR && !isJpeg,
    ...(density !== undefined && { density }),
    jpegs: isJpeg ? jpegsIn(block, ifd) : [],
  };
}

function densityOf(block: TiffBlock, ifd: Ifd): number | undefined {
  const unit = numberOf(block, entryOf(ifd, TAG.resolutionUnit)) ?? 2;
  const entry = entryOf(ifd, TAG.xResolution);
  if ((unit !== 2 && unit !== 3) || entry?.type !== RATIONAL || entry.count !== 1) return undefined;
  const value =
    block.view.getUint32(entry.valueAt, block.littleEndian) /
    block.view.getUint32(entry.valueAt + 4, block.littleEndian);
  if (!Number.isFinite(value) || value <= 0) return undefined;
  return unit === 3 ? value * 2.54 : value;
}

const RATIONAL = 5;

/** libtiff and libvips pass over damage in them; a decoder of JPEG alone does not. */
function jpegsIn(block: TiffBlock, ifd: Ifd): Uint8Array[] {
  const { bytes } = block;
  const numbers = (tag: number): number[] | undefined => {
    const entry = entryOf(ifd, tag);
    return entry && numbersOf(block, entry);
  };
  const offsets = numbers(TAG.tileOffsets) ?? numbers(TAG.stripOffsets) ?? [];
  const lengths = numbers(TAG.tileByteCounts) ?? numbers(TAG.stripByteCounts) ?? [];
  const tables = tablesIn(bytes, entryOf(ifd, TAG.jpegTables));
  let bytesLeft = bytes.length;
  return offsets.flatMap((at, i) => {
    const nBytes = lengths[i] ?? 0;
    // Parts that lie over one another would make more of the file than there is.
    bytesLeft -= nBytes;
    const isThere = nBytes > 4 && at + nBytes <= bytes.length && bytesLeft >= 0;
    return isThere ? [Buffer.concat([bytes.subarray(at, at + 2), tables, bytes.subarray(at + 2, at + nBytes)])] : [];
  });
}

/** Without the markers around them. */
function tablesIn(bytes: Uint8Array, entry: IfdEntry | undefined): Uint8Array {
  if (!entry || entry.type !== TYPE.undefined || entry.nBytes < 4) return new Uint8Array();
  return bytes.subarray(entry.valueAt + 2, entry.valueAt + entry.nBytes - 2);
}

/** An encoded TIFF that says of its resolution that it has no unit. */
export function withoutResolutionUnit(tiff: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(tiff);
  const block = openTiffBlock(changed);
  const entry = block && entryOf(readIfd(block, block.firstAt), TAG.resolutionUnit);
  if (entry?.type === TYPE.short) block!.view.setUint16(entry.valueAt, 1, block!.littleEndian);
  return changed;
}
