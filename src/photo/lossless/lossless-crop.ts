import { FramewrightError } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { checkOptions, type OptionKinds } from '../../base/options-check.js';
import type { CropRect } from '../../base/schema.js';
import type { EncodedCrop } from '../crop-file.js';
import type { Photo } from '../decode.js';
import { orientationExif } from '../formats/exif-orientation.js';
import { isKind, JPEG_MARKER, jpegSegment, jpegSegments, jpegSize } from '../formats/jpeg-segments.js';
import { withPhotoMetadata } from '../metadata/metadata-of-crop.js';
import { storedRect, uprightPoint } from '../metadata/orientation.js';
import { extractable } from '../render.js';
import { alignedCrop, unitOf } from './aligned-crop.js';
import { jpegtran } from './jpegtran.js';

export interface LosslessCropOptions {
  /** In pixels of the upright photo. */
  readonly crop: CropRect;
  /** Move the other edges outwards too, so that the crop's proportions stay. Default false. */
  readonly keepsRatio?: boolean;
  /** Leave out EXIF, XMP, IPTC and gain map. Refused where there is a colour profile, which would have to be applied. */
  readonly strip?: boolean;
  readonly signal?: AbortSignal;
}

const LOSSLESS_OPTIONS: OptionKinds<LosslessCropOptions> = {
  crop: 'object',
  keepsRatio: 'boolean',
  strip: 'boolean',
  signal: 'signal',
};

/** How far each edge of the upright photo's crop lies outside the one asked for. */
export type MovedEdges = Readonly<Record<'left' | 'top' | 'right' | 'bottom', number>>;

export interface LosslessCrop extends EncodedCrop {
  /** What was cut out, in pixels of the upright photo. */
  readonly crop: CropRect;
  readonly movedPx: MovedEdges;
}

/**
 * Cuts a JPEG out of a JPEG without decoding it: every coefficient is the photo's, and so is the orientation in its EXIF,
 * as the pixels lie as they did. Two edges of the crop can only lie between units of 8 or 16 pixels, and are moved
 * outwards, so that nothing is cut off. Metadata is what `encodeCrop` gives. By the program jpegtran.
 *
 * @throws FramewrightError INPUT_UNSUPPORTED for another format; USAGE for a crop outside the photo, a straightened photo,
 *   or one with a profile to be stripped; TOOL_NOT_FOUND; INPUT_CORRUPT.
 */
export async function losslessCrop(photo: Photo, options: LosslessCropOptions): Promise<LosslessCrop> {
  checkOptions('losslessCrop', options, LOSSLESS_OPTIONS);
  const { crop, keepsRatio = false, strip = false, signal } = options;
  extractable(photo, crop);
  refuse(photo, strip);
  const { stored: found, pixels, name } = photo;
  const stored = { width: found.width, height: found.height };
  const orientation = found.orientation ?? 1;
  const unit = unitOf(pixels);
  if (!unit) throw new FramewrightError('INPUT_CORRUPT', `${name} has no frame that can be read: copy it again`);
  const region = alignedCrop(storedRect(crop, photo, orientation), stored, unit, { keepsRatio });
  const { x, y, width, height } = region;
  const args = ['-copy', 'none', '-optimize', ...(found.isProgressive ? ['-progressive'] : [])];
  const bare = await jpegtran(pixels, [...args, '-crop', `${width}x${height}+${x}+${y}`], { name, signal });
  const size = jpegSize(bare);
  if (size?.width !== width || size.height !== height) {
    throw new FramewrightError(
      'INTERNAL',
      `jpegtran made ${String(size?.width)}x${String(size?.height)} px of ${name} where ${width}x${height} were asked for: crop it without --lossless`,
    );
  }
  const seen = uprightRect(region, stored, orientation);
  const done = {
    format: 'jpeg',
    width: seen.width,
    height: seen.height,
    crop: seen,
    movedPx: moved(crop, seen),
  } as const;
  if (strip) return { ...done, bytes: orientation === 1 ? bare : withOrientation(bare, orientation), leftOut: [] };
  const image = { bytes: withProfile(bare, pixels), format: 'jpeg', width, height } as const;
  const upright = { stored, orientation, crop: seen, output: { width: seen.width, height: seen.height } };
  const change = { stored, orientation: 1, crop: region, output: { width, height }, kept: { orientation, upright } };
  const { bytes, leftOut } = await withPhotoMetadata(photo, image, change, { cicp: undefined, signal });
  return { ...done, bytes, leftOut };
}

/** @throws FramewrightError */
function refuse({ name, format, turn, stored }: Photo, strip: boolean): void {
  if (format !== 'jpeg') {
    throw new FramewrightError(
      'INPUT_UNSUPPORTED',
      `${name} is no JPEG, and only these are cut without loss: leave it out`,
    );
  }
  if (turn) {
    throw new FramewrightError('USAGE', `${name} is straightened, which takes new pixels: crop it without --lossless`);
  }
  if (strip && stored.hasProfile) {
    throw new FramewrightError(
      'USAGE',
      `${name} has a colour profile, without which its colours would be others: leave out --strip or --lossless`,
    );
  }
}

function uprightRect({ x, y, width, height }: CropRect, stored: Size, orientation: number): CropRect {
  const [ax, ay] = uprightPoint([x, y], stored, orientation);
  const [bx, by] = uprightPoint([x + width, y + height], stored, orientation);
  return { x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(ax - bx), height: Math.abs(ay - by) };
}

function moved(asked: CropRect, cut: CropRect): MovedEdges {
  return {
    left: asked.x - cut.x,
    top: asked.y - cut.y,
    right: cut.x + cut.width - asked.x - asked.width,
    bottom: cut.y + cut.height - asked.y - asked.height,
  };
}

/** Its pieces, behind the JFIF header. */
function withProfile(jpeg: Uint8Array, source: Uint8Array): Uint8Array {
  const pieces = jpegSegments(source).filter(
    (each) => each.marker === JPEG_MARKER.app2 && isKind(each, 'ICC_PROFILE\0'),
  );
  const [first] = jpegSegments(jpeg);
  const at = first?.marker === JPEG_MARKER.app0 ? first.end : 2;
  return Buffer.concat([
    jpeg.subarray(0, at),
    ...pieces.map(({ marker, payload }) => jpegSegment(marker, payload)),
    jpeg.subarray(at),
  ]);
}

/** Which pixels that lie as they did cannot be seen upright without. */
function withOrientation(jpeg: Uint8Array, orientation: number): Uint8Array {
  const exif = jpegSegment(JPEG_MARKER.app1, 'Exif\0\0', orientationExif(orientation));
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
}
