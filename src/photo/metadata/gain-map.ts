import type { OutputInfo, Region, Sharp } from 'sharp';
import type { Size } from '../../base/geometry.js';
import type { Photo } from '../decode.js';
import { decoding } from '../failure.js';
import { sourceJpegEncoding } from '../jpeg-encoding.js';
import { sharp } from '../vips.js';
import type { CropRect } from '../../base/schema.js';
import { jpegPixels } from '../formats/jpeg-pixels.js';
import {
  isKind,
  JPEG_MARKER,
  jpegSegment,
  jpegSegments,
  jpegSize,
  type JpegSegment,
} from '../formats/jpeg-segments.js';
import { furtherPictures, joinPictures } from '../formats/multi-picture.js';
import { affine, turnedPixels } from '../turn/turned-pixels.js';
import { turnOf } from '../turn/turn.js';
import type { PixelChange } from './orientation.js';
import { XMP_NAMESPACES } from './xmp.js';

/** What a screen brightens parts of an SDR photo by to show it in HDR: a second JPEG in the file. */
export interface GainMap {
  readonly jpeg: Uint8Array;
  /** Segments of the first picture that say it has one. */
  readonly announced: readonly JpegSegment[];
}

/** ISO 21496-1, in the first picture (version alone) and in the map (its parameters). */
const ISO_SIGNATURE = 'urn:iso:std:iso:ts:21496:-1\0';
const APPLE_TYPE = 'urn:com:apple:photo:2020:aux:hdrgainmap';

export function gainMapOf(photo: Photo): GainMap | undefined {
  if (photo.format !== 'jpeg') return undefined;
  const jpeg = furtherPictures(photo.bytes).find((picture) => jpegSegments(picture).some(describesGainMap));
  if (jpeg && !fits(jpeg, photo)) return undefined;
  return jpeg && { jpeg, announced: jpegSegments(photo.bytes).filter((segment) => isKind(segment, ISO_SIGNATURE)) };
}

/**
 * A map has a photo's pixels at most, and mostly a sixteenth of them; the one of a photo that was scaled down without it
 * may have more. What is larger is none: it would be decoded whole, whatever the size of the photo.
 */
function fits(jpeg: Uint8Array, { stored: { width, height } }: Photo): boolean {
  const size = jpegSize(jpeg);
  return size !== undefined && size.width * size.height <= Math.max(width * height, MAX_SPARE_PIXELS);
}

const MAX_SPARE_PIXELS = 4_000_000;

function describesGainMap(segment: JpegSegment): boolean {
  if (segment.marker === JPEG_MARKER.app2) return isKind(segment, ISO_SIGNATURE);
  if (segment.marker !== JPEG_MARKER.app1) return false;
  const text = Buffer.from(segment.payload).toString('latin1');
  return text.includes(XMP_NAMESPACES.hdrgm) || text.includes(APPLE_TYPE);
}

/** The same region of the map, with what it says about itself. Its pixels keep their values but for the codec's loss. */
export async function cropGainMap(
  photo: Photo,
  { jpeg }: GainMap,
  { crop, orientation, turn, stored, kept }: PixelChange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const name = `the gain map of ${photo.name}`;
  const limits = { failOn: 'warning' as const, ignoreIcc: true, limitInputPixels: photo.maxPixels };
  const { channels: nChannels } = await decoding(name, () => sharp(jpegPixels(jpeg), limits).metadata(), signal);
  const space = nChannels === 1 ? 'b-w' : 'srgb';
  const pixels = (pipeline: Sharp): Promise<Pixels> =>
    decoding(name, () => pipeline.toColourspace(space).raw().toBuffer({ resolveWithObject: true }), signal);

  const untouched = await pixels(
    sharp(withOrientation(jpegPixels(jpeg), orientation), { ...limits, autoOrient: true }),
  );
  const upright = turn ? await straightened(untouched, turn.angleDeg, pixels) : untouched;
  const whole = kept ? stored : photo;
  const scaleX = upright.info.width / whole.width;
  const scaleY = upright.info.height / whole.height;
  const { region, around, offset } = regionAround(crop, upright.info, scaleX, scaleY);
  const cut = await pixels(
    sharp(upright.data, { raw: upright.info, ...limits })
      .extract(region)
      .resize({ ...around, fit: 'fill', kernel: 'linear' })
      .extract({ ...offset, width: crop.width, height: crop.height }),
  );
  const { quality = 90, chromaSubsampling } = sourceJpegEncoding(jpeg);
  const small = sharp(cut.data, { raw: cut.info, ...limits })
    .resize({
      width: Math.max(1, Math.round(crop.width * scaleX)),
      height: Math.max(1, Math.round(crop.height * scaleY)),
      fit: 'fill',
    })
    .toColourspace(space)
    .jpeg({ quality, chromaSubsampling });
  const encoded = await decoding(name, () => small.toBuffer(), signal);
  const own = jpegSegments(jpeg).filter((segment) => describesGainMap(segment) || isKind(segment, 'ICC_PROFILE\0'));
  return Buffer.concat([encoded.subarray(0, 2), ...own.map(encodeSegment), encoded.subarray(2)]);
}

/** The map turned as the photo was. */
async function straightened(
  map: Pixels,
  angleDeg: number,
  pixels: (pipeline: Sharp) => Promise<Pixels>,
): Promise<Pixels> {
  const turned = turnedPixels(turnOf(map.info, angleDeg));
  const whole = await pixels(affine(sharp(map.data, { raw: map.info }), turned));
  return pixels(sharp(whole.data, { raw: whole.info }).extract(turned.region));
}

interface Pixels {
  readonly data: Buffer;
  readonly info: OutputInfo;
}

/**
 * A crop's edges fall between the map's pixels. The region that holds them is brought to the photo's resolution
 * (`around`), where the crop begins at `offset`, to the pixel.
 */
function regionAround(
  crop: CropRect,
  map: Size,
  scaleX: number,
  scaleY: number,
): { region: Region; around: Size; offset: { left: number; top: number } } {
  const left = Math.floor(crop.x * scaleX);
  const top = Math.floor(crop.y * scaleY);
  const width = Math.min(map.width, Math.ceil((crop.x + crop.width) * scaleX)) - left;
  const height = Math.min(map.height, Math.ceil((crop.y + crop.height) * scaleY)) - top;
  const around = {
    width: Math.max(crop.width, Math.round(width / scaleX)),
    height: Math.max(crop.height, Math.round(height / scaleY)),
  };
  const offset = {
    left: Math.min(around.width - crop.width, Math.round(crop.x - left / scaleX)),
    top: Math.min(around.height - crop.height, Math.round(crop.y - top / scaleY)),
  };
  return { region: { left, top, width, height }, around, offset };
}

/** The finished photo with its map behind it. */
export function withGainMap(photo: Uint8Array, { announced }: GainMap, cropped: Uint8Array): Uint8Array {
  const segments = jpegSegments(photo);
  const at = segments.findLast(({ marker }) => marker >= 0xe0 && marker <= 0xef)?.end ?? 2;
  const head = Buffer.concat([photo.subarray(0, at), ...announced.map(encodeSegment)]);
  return joinPictures(Buffer.concat([head, photo.subarray(at)]), head.length, cropped);
}

/** The map lies as the stored photo does; an orientation of its own, if it has one, is not meant. */
function withOrientation(jpeg: Uint8Array, orientation: number): Uint8Array {
  const kept = jpegSegments(jpeg).filter(({ marker }) => marker !== JPEG_MARKER.app1);
  const rest = jpeg.subarray(jpegSegments(jpeg).at(-1)?.end ?? 2);
  const exif = Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  exif.writeUInt16BE(orientation, 6 + 8 + 2 + 8);
  return Buffer.concat([jpeg.subarray(0, 2), jpegSegment(JPEG_MARKER.app1, exif), ...kept.map(encodeSegment), rest]);
}

function encodeSegment({ marker, payload }: JpegSegment): Uint8Array {
  return jpegSegment(marker, payload);
}
