import type { Photo } from '../image/decode.js';
import { decoding } from '../image/failure.js';
import { sourceJpegEncoding } from '../image/jpeg-encoding.js';
import { sharp } from '../image/vips.js';
import { isKind, JPEG_MARKER, jpegSegment, jpegSegments, type JpegSegment } from './jpeg-segments.js';
import { furtherPictures, joinPictures } from './multi-picture.js';
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
  return jpeg && { jpeg, announced: jpegSegments(photo.bytes).filter((segment) => isKind(segment, ISO_SIGNATURE)) };
}

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
  { crop, orientation }: PixelChange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const name = `the gain map of ${photo.name}`;
  const upright = await decoding(
    name,
    () =>
      sharp(withOrientation(jpeg, orientation), {
        autoOrient: true,
        ignoreIcc: true,
        limitInputPixels: photo.maxPixels,
      })
        .raw()
        .toBuffer({ resolveWithObject: true }),
    signal,
  );
  const { width, height, channels } = upright.info;
  const raw = { width, height, channels: channels as 1 | 3 };
  const scaleX = width / photo.width;
  const scaleY = height / photo.height;
  // The crop's edges fall between the map's pixels: it is brought to the photo's resolution around the crop, cut there
  // to the pixel, and brought back.
  const left = Math.floor(crop.x * scaleX);
  const top = Math.floor(crop.y * scaleY);
  const right = Math.min(width, Math.ceil((crop.x + crop.width) * scaleX));
  const bottom = Math.min(height, Math.ceil((crop.y + crop.height) * scaleY));
  const around = {
    width: Math.max(crop.width, Math.round((right - left) / scaleX)),
    height: Math.max(crop.height, Math.round((bottom - top) / scaleY)),
  };
  const offset = {
    left: Math.min(around.width - crop.width, Math.round(crop.x - left / scaleX)),
    top: Math.min(around.height - crop.height, Math.round(crop.y - top / scaleY)),
  };
  const cut = await decoding(
    name,
    () =>
      sharp(upright.data, { raw, limitInputPixels: photo.maxPixels })
        .extract({ left, top, width: right - left, height: bottom - top })
        .resize({ ...around, fit: 'fill', kernel: 'linear' })
        .extract({ ...offset, width: crop.width, height: crop.height })
        .raw()
        .toBuffer({ resolveWithObject: true }),
    signal,
  );
  const { quality, chromaSubsampling } = sourceJpegEncoding(jpeg);
  const encoded = await decoding(
    name,
    () =>
      sharp(cut.data, { raw: { width: crop.width, height: crop.height, channels: cut.info.channels as 1 | 3 } })
        .resize({
          width: Math.max(1, Math.round(crop.width * scaleX)),
          height: Math.max(1, Math.round(crop.height * scaleY)),
          fit: 'fill',
        })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .jpeg({ quality: quality ?? 90, chromaSubsampling })
        .toBuffer(),
    signal,
  );
  const own = jpegSegments(jpeg).filter((segment) => describesGainMap(segment) || isKind(segment, 'ICC_PROFILE\0'));
  return Buffer.concat([encoded.subarray(0, 2), ...own.map(encodeSegment), encoded.subarray(2)]);
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
