import type { Box } from '../../base/geometry.js';
import type { Photo } from '../decode.js';
import { hasDarktableCrop } from './darktable.js';
import { uprightPoint } from './orientation.js';
import { otherFileOf, sidecarPathOf } from './sidecar-path.js';
import { angleIn, cropWeWrote, hasCrop, isTurnedBy, SIDES } from './crop-in-xmp.js';
import { embeddedXmp, readable, readSidecar } from './sidecar.js';
import { isTrue } from './xmp-of-crop.js';
import { openXmp, readXmp, type XmpPacket } from './xmp.js';

/** A crop somebody made in a raw developer, or why the one there is cannot be taken for that. */
export type HandCrop = { readonly box: Box } | { readonly unusable: string };

/** Shares that differ by less are the same: other programs write them in other digits. */
const SAME_SHARE = 1e-5;

/**
 * The crop that Lightroom, Camera Raw or another program left in the photo's sidecar or in the photo itself
 * (crs:HasCrop), in pixels of the upright photo. Undefined where there is none, or the photo is whole.
 *
 * @param options `takesOurs`: also a crop that framewright wrote there. Default false
 * @throws FramewrightError INPUT_CORRUPT, INPUT_UNREADABLE, INPUT_TOO_LARGE for the sidecar
 */
export async function readHandCrop(
  photo: Photo,
  signal?: AbortSignal,
  { takesOurs = false }: { readonly takesOurs?: boolean } = {},
): Promise<HandCrop | undefined> {
  const sidecar = photo.path === undefined ? undefined : await sidecarOf(photo.path, signal);
  if (sidecar && hasDarktableCrop(sidecar))
    return { unusable: "its crop is darktable's, which says it in another way" };
  const packet = sidecar && hasCrop(sidecar) ? sidecar : embeddedXmp(photo);
  if (!packet || !hasCrop(packet) || isTrue(readXmp(packet, 'crs:AlreadyApplied'))) return undefined;
  if (isTurnedBy(packet, photo)) return { unusable: 'its sidecar alone says how it is to be turned' };
  const sides = SIDES.map((side) => Number(readXmp(packet, side) ?? NaN));
  const [top, left, bottom, right] = sides as [number, number, number, number];
  if (!sides.every((side) => side >= 0 && side <= 1) || top >= bottom || left >= right) {
    return { unusable: `its crop has the sides ${sides.join(', ')}, which are no shares of a photo` };
  }
  const ours = cropWeWrote(packet);
  const angleDeg = angleIn(packet);
  if (
    !takesOurs &&
    ours?.angleDeg === angleDeg &&
    ours.sides.every((side, i) => Math.abs(side - sides[i]!) < SAME_SHARE)
  ) {
    return { unusable: 'its crop was written by framewright, not by hand' };
  }
  if (angleDeg !== 0) return { unusable: 'its crop is turned by an angle' };
  const { width, height } = photo.stored;
  const orientation = photo.stored.orientation ?? 1;
  const size = { width, height };
  const [ax, ay] = uprightPoint([left * width, top * height], size, orientation);
  const [bx, by] = uprightPoint([right * width, bottom * height], size, orientation);
  const box: Box = [
    Math.round(Math.min(ax, bx)),
    Math.round(Math.min(ay, by)),
    Math.round(Math.max(ax, bx)),
    Math.round(Math.max(ay, by)),
  ];
  const isWhole = box[0] <= 0 && box[1] <= 0 && box[2] >= photo.width && box[3] >= photo.height;
  return isWhole || box[0] >= box[2] || box[1] >= box[3] ? undefined : { box };
}

/** Undefined where there is none, or it is another file's. */
async function sidecarOf(path: string, signal: AbortSignal | undefined): Promise<XmpPacket | undefined> {
  const sidecar = await sidecarPathOf(path);
  const file = await readSidecar(sidecar, signal);
  const packet = file && readable(sidecar, () => openXmp(file.text));
  return packet && otherFileOf(packet, path) === undefined ? packet : undefined;
}
