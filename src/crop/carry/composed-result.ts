import { boxArea, boxOfRect, clipped, type Box, type Size } from '../../base/geometry.js';
import type { CropRect, CropResult } from '../../base/schema.js';
import { canvasOf, type FitWishes } from '../canvas.js';
import { askedTarget } from '../crop-result.js';
import { isImpossible, type SettledTarget } from '../wishes.js';
import type { ReadyPhoto } from '../ready-photo.js';
import { reducedAspect } from '../aspect.js';
import { carriedRectangle } from './carried-rectangle.js';
import { composedBox, compositionOf, type Composition } from './composition.js';
import { ownPart } from './own-part.js';

/** What a crop is to be like. */
export interface ComposedLike {
  readonly composition: Composition;
  /** Of the crop it is to be like: its proportions, where no others are asked for. */
  readonly ratio: Size;
  /** As notes and reasons call it. */
  readonly name: string;
  /** Least area of the crop as a share of the photo's. */
  readonly minSize: number;
  readonly engine: CropResult['engine'];
}

/**
 * A crop in which the subject is as large, and where, as in another crop; as near to that as the photo has room.
 *
 * @param subject in pixels of the photo
 * @throws FramewrightError ASPECT_IMPOSSIBLE
 */
export function composedResult(
  like: ComposedLike,
  subject: Box,
  ready: ReadyPhoto,
  settled: SettledTarget,
  fit: FitWishes,
): CropResult {
  const { photo } = ready;
  const { target } = settled;
  const wanted = composedBox(like.composition, subject, target.aspect ?? like.ratio);
  const crop = composedRectangle(wanted, like, subject, { ready, settled });
  const why = `its subject is as large, and where, as in ${like.name}`;
  const focus = [Math.floor((subject[0] + subject[2]) / 2), Math.floor((subject[1] + subject[3]) / 2)] as const;
  const own = ownPart({
    ...{ ready, settled, crop, focus },
    canvas: canvasOf(crop, target, fit, photo),
    analysis: [],
    notes: [composedNote(crop, wanted, subject, like)],
  });
  return {
    ...own,
    engine: like.engine,
    target: askedTarget(target, fit),
    candidates: [{ box: boxOfRect(crop), modelScore: 1, why }],
    best: 0,
    why,
    verdict: 'crop',
  };
}

/** It holds the subject where the other crop did, where the ratio has room for that. */
function composedRectangle(
  wanted: Box,
  { composition, ratio, minSize }: ComposedLike,
  subject: Box,
  { ready: { photo }, settled: { target, keep } }: { readonly ready: ReadyPhoto; readonly settled: SettledTarget },
): CropRect {
  const aspect = reducedAspect(target.aspect?.width ?? ratio.width, target.aspect?.height ?? ratio.height);
  const limits = { photo, aspect, minSize, name: photo.name };
  const [x1, y1, x2, y2] = subject;
  const around: Box = [Math.floor(x1), Math.floor(y1), Math.ceil(x2), Math.ceil(y2)];
  const whole = composition.isWhole ? clipped(around, photo) : undefined;
  try {
    return carriedRectangle(wanted, { ...limits, keep: whole ? [...keep, whole] : keep });
  } catch (thrown) {
    if (!isImpossible(thrown) || !whole) throw thrown;
    return carriedRectangle(wanted, { ...limits, keep });
  }
}

/** Less nobody sees: of the crop's sides, and of the subject's size in it. */
const TOLD_FROM = { place: 0.06, size: 0.1 };

function composedNote(
  crop: CropRect,
  wanted: Box,
  subject: Box,
  { composition, name }: ComposedLike,
): string | undefined {
  const { centre } = compositionOf(boxOfRect(crop), subject);
  const off = Math.max(...centre.map((share, i) => Math.abs(share - composition.centre[i]!)));
  const size = Math.sqrt((crop.width * crop.height) / boxArea(wanted));
  const isSmaller = size < 1 - TOLD_FROM.size;
  const isLarger = size > 1 + TOLD_FROM.size;
  if (off <= TOLD_FROM.place && !isSmaller && !isLarger) return undefined;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const what = [
    ...(isSmaller ? ['larger'] : isLarger ? ['smaller'] : []),
    ...(off > TOLD_FROM.place ? [`at ${percent(centre[0])} across and ${percent(centre[1])} down`] : []),
  ].join(' and ');
  const where = `${percent(composition.centre[0])} and ${percent(composition.centre[1])}`;
  return `has its subject ${what} in its crop, and ${name} has it at ${where}: the photo has no room for more, or what is to be kept takes it`;
}
