import { counted } from '../base/counted.js';
import { FramewrightError } from '../base/errors.js';
import { boxArea, boxOfSize, contains, type Aspect, type Box, type Size } from '../base/geometry.js';
import type { EngineOptions } from './types.js';

/** The largest whole-pixel size of an aspect inside `bounds`. */
export function largestOfAspect({ width, height }: Aspect, bounds: Size): Size {
  const aspect = width / height;
  if (aspect * bounds.height <= bounds.width) {
    return { width: Math.max(1, Math.round(aspect * bounds.height)), height: bounds.height };
  }
  return { width: bounds.width, height: Math.max(1, Math.round(bounds.width / aspect)) };
}

/** The box of a size nearest to a wanted centre that stays inside the frame and around the keep box. */
export function placeAround(size: Size, centre: readonly [x: number, y: number], frame: Size, keep?: Box): Box {
  const place = (length: number, wanted: number, limit: number, keepLow: number, keepHigh: number): number => {
    const low = Math.max(0, keepHigh - length);
    const high = Math.min(limit - length, keepLow);
    return Math.min(high, Math.max(low, Math.round(wanted - length / 2)));
  };
  const x1 = place(size.width, centre[0], frame.width, keep?.[0] ?? frame.width, keep?.[2] ?? 0);
  const y1 = place(size.height, centre[1], frame.height, keep?.[1] ?? frame.height, keep?.[3] ?? 0);
  return [x1, y1, x1 + size.width, y1 + size.height];
}

/** Whether a box is inside the frame, large enough and around every keep box. */
export function allows(box: Box, frame: Size, options: EngineOptions): boolean {
  return (
    contains(boxOfSize(frame), box) &&
    boxArea(box) >= (options.minSize ?? 0) * frame.width * frame.height - 1e-6 &&
    (options.keep ?? []).every((keep) => contains(box, keep))
  );
}

export function impossible(frame: Size, options: EngineOptions): FramewrightError {
  const asked = [
    options.aspect && `aspect ${(options.aspect.width / options.aspect.height).toFixed(3)}`,
    options.keep && options.keep.length > 0 ? counted(options.keep.length, 'keep box', 'keep boxes') : undefined,
    options.minSize ? `least area ${options.minSize}` : undefined,
  ].filter((part) => part !== undefined);
  return new FramewrightError(
    'ASPECT_IMPOSSIBLE',
    `no crop of ${frame.width}x${frame.height} satisfies ${asked.join(', ')} together; loosen one of them`,
  );
}
