import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import { boxOfSize, clipped, contains, type Box, type Point, type Size } from '../base/geometry.js';
import type { CropRect, CropResult } from '../base/schema.js';
import { workingSize } from '../engines/rules/maps/plane.js';
import { findTilt, TILT_LONG_SIDE_PX, type Tilt } from '../engines/tilt/tilt.js';
import type { Photo } from '../photo/decode.js';
import { cameraFocus, type CameraFocus } from '../photo/metadata/camera-focus.js';
import { renderFrame } from '../photo/render.js';
import { turnPhoto } from '../photo/turn/turn-photo.js';
import { boxAroundTurned, straightPoint, turnOf, type Turn } from '../photo/turn/turn.js';
import { focusPoint, type Focus } from './focus.js';
import { keepBox } from './keep-box.js';
import { checkStraighten, type Straighten } from './straighten-wish.js';

/**
 * How sure is sure. Of 773 photos nobody had turned (250 of FLMS, 14 others, 509 of the bundled model's training) 19 are
 * turned from here on, 17 of them rightly by eye; the others are a clock's face and a plate seen from above (2026-11-30).
 */
export const SURE_OF_TILT = 0.6;

/** Less is not seen, and costs sharpness and a rim of the photo all the same. */
const LEAST_TILT_DEG = 0.3;

/** A photo this small has no edges that tell. */
const LEAST_SIDE_PX = 64;

/** What became of a wish to straighten, as results have it. */
export type Straightened = NonNullable<CropResult['straighten']>;

/** What must be in the photo still when it is straight: of the wishes, those that name places in it. */
export interface ToKeepInside {
  readonly keep?: readonly CropRect[];
  readonly focus?: Focus;
}

/** How the photo is turned against the scene in it; undefined where nothing in it says which way is up. */
export async function measureTilt(
  photo: Photo,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Tilt | undefined> {
  if (Math.min(photo.width, photo.height) < LEAST_SIDE_PX) return undefined;
  const size = workingSize(photo, Math.min(TILT_LONG_SIDE_PX, Math.max(photo.width, photo.height)), LEAST_SIDE_PX / 4);
  return findTilt({ data: await renderFrame(photo, size, options), size });
}

/**
 * The photo straightened as is wished, and what became of the wish. `auto` leaves a photo as it is unless it is sure, and
 * an animation in any case, and where a rectangle to keep or the focus would be cut off with the corners.
 *
 * @throws FramewrightError USAGE where degrees asked for would cut these off, or for no such wish; INPUT_CORRUPT
 */
export async function straighten(
  photo: Photo,
  wish: Straighten,
  inside: ToKeepInside,
  signal?: AbortSignal,
): Promise<{ readonly photo: Photo; readonly straighten?: Straightened }> {
  checkStraighten(wish);
  if (wish === 'off') return { photo };
  if (wish === 'auto') {
    const tilt = await measureTilt(photo, defined({ signal }));
    if (!tilt) return { photo, straighten: { angleDeg: 0, confidence: 0, applied: false } };
    const isSure = tilt.confidence >= SURE_OF_TILT && Math.abs(tilt.angleDeg) >= LEAST_TILT_DEG;
    const applied = isSure && !photo.animation && cutOff(photo, tilt.angleDeg, inside) === undefined;
    const turned = applied ? await turnPhoto(photo, tilt.angleDeg, signal) : photo;
    return { photo: turned, straighten: { ...tilt, applied, ...sizeBefore(turned) } };
  }
  checkCanTurn(photo, wish);
  if (wish === 0) return { photo, straighten: { angleDeg: 0, from: 'asked', applied: false } };
  const lost = cutOff(photo, wish, inside);
  if (lost !== undefined) {
    throw new FramewrightError(
      'USAGE',
      `${photo.name} straightened by ${wish} degrees loses its corners, and with them a part of ${lost}: straighten by less, or leave that out`,
    );
  }
  const turned = await turnPhoto(photo, wish, signal);
  return { photo: turned, straighten: { angleDeg: wish, from: 'asked', applied: true, ...sizeBefore(turned) } };
}

/** @throws FramewrightError USAGE for an animation */
export function checkCanTurn({ animation, name }: Pick<Photo, 'animation' | 'name'>, angleDeg: number): void {
  if (!animation || angleDeg === 0) return;
  throw new FramewrightError(
    'USAGE',
    `${name} moves, and only still pictures are straightened: take its first frame (--first-frame), or leave it as it is`,
  );
}

function sizeBefore({ turn }: Photo): Pick<Straightened, 'photo'> {
  return turn ? { photo: { widthPx: turn.upright.width, heightPx: turn.upright.height } } : {};
}

/** What to say of a photo that was turned by what it shows, to follow its name. */
export function straightenNote({ angleDeg, confidence, from, applied }: Straightened): string | undefined {
  if (!applied || confidence === undefined) return undefined;
  const why = from === 'horizon' ? 'its horizon' : 'its upright edges';
  const way = angleDeg > 0 ? 'clockwise' : 'counterclockwise';
  return `is straightened by ${Math.abs(angleDeg)} degrees ${way}, by ${why} (${Math.round(100 * confidence)} % sure)`;
}

/** What of it would not be in the straight photo, in words; undefined where all is. */
function cutOff(photo: Photo, angleDeg: number, { keep = [], focus }: ToKeepInside): string | undefined {
  const turn = turnOf(photo, angleDeg);
  const lost = keep.find((rect) => !contains(boxOfSize(turn.straight), boxAroundTurned(keepBox(rect, photo), turn)));
  if (lost) return `the box to keep ${[lost.x, lost.y, lost.width, lost.height].join(',')}`;
  if (!focus) return undefined;
  const point = focusPoint(focus, photo);
  return isPixelOf(straightPixel(point, turn), turn.straight) ? undefined : `the focus ${point.join(',')}`;
}

/** The photo as its file shows it: what rectangles and points are given in. */
function given(photo: Photo): Size & { readonly name: string } {
  return { ...(photo.turn?.upright ?? { width: photo.width, height: photo.height }), name: photo.name };
}

/**
 * A rectangle given in pixels of the upright photo, in those that crops are counted in.
 * @throws FramewrightError USAGE for one that is not whole pixels inside the photo
 */
export function keepInPhoto(rect: CropRect, photo: Photo): Box {
  const box = keepBox(rect, given(photo));
  return photo.turn ? clipped(boxAroundTurned(box, photo.turn), photo)! : box;
}

/** The same for the focus. */
export function focusInPhoto(focus: Focus, photo: Photo): Point {
  const point = focusPoint(focus, given(photo));
  return photo.turn ? straightPixel(point, photo.turn) : point;
}

/** The subject the camera has noted; none where it was cut off with the corners. */
export function cameraFocusInPhoto(photo: Photo): CameraFocus | undefined {
  const noted = cameraFocus(photo);
  if (!noted || !photo.turn) return noted;
  const point = straightPixel(noted.point, photo.turn);
  return isPixelOf(point, photo) ? { ...noted, point } : undefined;
}

/** The pixel of the straight photo that the middle of one of the upright photo comes to lie in; it may lie outside. */
function straightPixel([x, y]: Point, turn: Turn): Point {
  const [straightX, straightY] = straightPoint([x + 0.5, y + 0.5], turn);
  return [Math.floor(straightX), Math.floor(straightY)];
}

function isPixelOf([x, y]: Point, { width, height }: Size): boolean {
  return x >= 0 && y >= 0 && x < width && y < height;
}
