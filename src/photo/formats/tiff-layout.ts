import { defined } from '../../base/defined.js';
import { entryOf, numberOf, numbersOf, openTiffBlock, readIfd, TYPE } from './ifd.js';
import type { Ifd, IfdEntry, TiffBlock } from './ifd.js';

const TAG = {
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  stripByteCounts: 279,
  xResolution: 282,
  resolutionUnit: 296,
  tileOffsets: 324,
  tileByteCounts: 325,
  jpegTables: 347,
  ycbcrSubsampling: 530,
} as const;

const JPEG = 7;
const DEFLATE = [8, 32946];
const YCBCR = 6;

/** How the first picture of a TIFF is stored, as far as its decoder leaves that to others. */
export interface TiffLayout {
  /**
   * `subsampled`: libvips makes RGBA of it, with an alpha that nobody asked for; `full`: libvips takes its Y, Cb and Cr for
   * red, green and blue.
   */
  readonly ycbcr?: 'subsampled' | 'full';
  /** Pixels an inch. */
  readonly density?: number;
  /** Strips or tiles, each to be whole by itself: libtiff and libvips pass over damage in them. */
  readonly parts: { readonly kind: 'jpeg' | 'deflate'; readonly all: readonly Uint8Array[] };
}

export function readTiffLayout(tiff: Uint8Array): TiffLayout {
  const block = openTiffBlock(tiff);
  const ifd = block && readIfd(block, block.firstAt);
  if (!block || !ifd) return { parts: NONE };
  const numberAt = (tag: number): number | undefined => numberOf(block, entryOf(ifd, tag));
  const compression = numberAt(TAG.compression) ?? 1;
  const isJpeg = compression === JPEG;
  const isDeflate = DEFLATE.includes(compression) && (numberAt(TAG.fillOrder) ?? 1) === 1;
  const tables = isJpeg ? tablesIn(tiff, entryOf(ifd, TAG.jpegTables)) : undefined;
  const density = densityOf(block, ifd);
  return {
    ...(numberAt(TAG.photometric) === YCBCR && !isJpeg && { ycbcr: subsamplingOf(block, ifd) }),
    ...defined({ density }),
    parts: tables
      ? { kind: 'jpeg', all: partsOf(block, ifd).map((part) => withTables(part, tables)) }
      : isDeflate
        ? { kind: 'deflate', all: partsOf(block, ifd) }
        : NONE,
  };
}

/** Two by two unless the file says otherwise. */
function subsamplingOf(block: TiffBlock, ifd: Ifd): 'subsampled' | 'full' {
  const entry = entryOf(ifd, TAG.ycbcrSubsampling);
  const [across = 2, down = 2] = entry ? (numbersOf(block, entry) ?? []) : [];
  return across === 1 && down === 1 ? 'full' : 'subsampled';
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

const NONE: TiffLayout['parts'] = { kind: 'deflate', all: [] };

function partsOf(block: TiffBlock, ifd: Ifd): Uint8Array[] {
  const { bytes } = block;
  const numbers = (tag: number): number[] | undefined => {
    const entry = entryOf(ifd, tag);
    return entry && numbersOf(block, entry);
  };
  const offsets = numbers(TAG.tileOffsets) ?? numbers(TAG.stripOffsets) ?? [];
  const lengths = numbers(TAG.tileByteCounts) ?? numbers(TAG.stripByteCounts) ?? [];
  let bytesLeft = bytes.length;
  return offsets.flatMap((at, i) => {
    const nBytes = lengths[i] ?? 0;
    // Parts that lie over one another would make more of the file than there is.
    bytesLeft -= nBytes;
    const isThere = nBytes > 4 && at + nBytes <= bytes.length && bytesLeft >= 0;
    return isThere ? [bytes.subarray(at, at + nBytes)] : [];
  });
}

function withTables(jpeg: Uint8Array, tables: Uint8Array): Uint8Array {
  return Buffer.concat([jpeg.subarray(0, 2), tables, jpeg.subarray(2)]);
}

/** Without the markers around them. */
function tablesIn(bytes: Uint8Array, entry: IfdEntry | undefined): Uint8Array {
  if (entry?.type !== TYPE.undefined || entry.nBytes < 4) return new Uint8Array();
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
