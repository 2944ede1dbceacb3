import { applyColourPlan, planColour } from '../colour.js';
import { openPhoto, type Photo } from '../decode.js';
import { decoding } from '../failure.js';
import { sharp } from '../vips.js';
import { affine, turnedPixels } from './turned-pixels.js';
import { turnOf } from './turn.js';

/**
 * The photo turned clockwise by an angle in degrees, and cut to what is photo all over: from here on it is the photo, in
 * its own colours and depth, resampled this once. Everything else its file says stays as it was, and `turn` tells where
 * its pixels were; a crop of it is written with metadata that goes with them.
 *
 * @param angleDeg -45..45; 0 gives the photo itself
 * @throws FramewrightError INPUT_CORRUPT
 */
export async function turnPhoto(photo: Photo, angleDeg: number, signal?: AbortSignal): Promise<Photo> {
  if (angleDeg === 0) return photo;
  const turn = turnOf(photo, angleDeg);
  const turned = turnedPixels(turn);
  const plan = planColour(photo.stored, 'tiff', false);
  const whole = await decoding(
    photo.name,
    () =>
      affine(applyColourPlan(openPhoto(photo), plan), turned)
        .tiff(UNCOMPRESSED)
        .toBuffer(),
    signal,
  );
  const pixels = await decoding(
    photo.name,
    () =>
      sharp(whole, { limitInputPixels: false })
        .extract(turned.region)
        .keepIccProfile()
        .toColourspace(plan.space)
        .tiff(UNCOMPRESSED)
        .toBuffer(),
    signal,
  );
  const { space, channels, depth, hasAlpha, hasProfile, icc } = await sharp(pixels, {
    limitInputPixels: false,
  }).metadata();
  const { icc: _, ...stored } = photo.stored;
  return {
    ...photo,
    ...turn.straight,
    pixels,
    turn,
    stored: {
      ...stored,
      ...{ space, channels, depth, hasProfile },
      hasAlpha: hasAlpha && stored.hasAlpha,
      ...(icc && { icc }),
    },
    failOn: 'error',
  };
}

/** It is in memory for as long as the photo is worked on. */
const UNCOMPRESSED = { compression: 'none' } as const;
