import type { Verdict } from '../base/verdicts.js';
import { boxArea, contains, type Aspect, type Box, type Size } from '../base/geometry.js';

/** What every candidate is held to. */
export interface CandidateLimits {
  /** How far coordinates reach: the frame's own pixels, or the grid an engine counts in instead. */
  readonly frame: Size;
  /** In the same. Free without. */
  readonly aspect?: Aspect;
  /** Smallest box every candidate holds, in the same. */
  readonly keep?: Box;
  /** Least area, as a share of the frame's, 0..1. */
  readonly minSize: number;
}

/** A crop an engine proposes. */
export interface ProposedBox {
  readonly boxInFrame: Box;
  readonly why: string;
  /** Of the photo, where the engine is asked for one. */
  readonly verdict?: Verdict;
}

/** Nobody trims less than this share of a side; where no ratio says how much to trim, a candidate does not either. */
const LEAST_TRIM_SHARE = 1 / 50;

/** Whether a box is one an engine may propose, were it not for the ratio. */
export function meetsLimits(box: Box, limits: CandidateLimits): boolean {
  const { frame, keep, minSize } = limits;
  return (
    (!keep || contains(box, keep)) && boxArea(box) >= minSize * frame.width * frame.height && !trimsSliver(box, limits)
  );
}

/** Whether a proposal avoids this box for what it trims. */
function trimsSliver([x1, y1, x2, y2]: Box, limits: CandidateLimits): boolean {
  const least = leastTrim(limits);
  if (!least) return false;
  const { width, height } = limits.frame;
  const isSliver = (trimmed: number, side: keyof Size): boolean => trimmed > 0 && trimmed < least[side];
  return (
    isSliver(x1, 'width') || isSliver(y1, 'height') || isSliver(width - x2, 'width') || isSliver(height - y2, 'height')
  );
}

/** Least distance from the frame's side of an edge that is not at it, across and down. */
export function leastTrim({ frame, aspect }: CandidateLimits): Size | undefined {
  if (aspect) return undefined;
  return {
    width: Math.ceil(frame.width * LEAST_TRIM_SHARE),
    height: Math.ceil(frame.height * LEAST_TRIM_SHARE),
  };
}
