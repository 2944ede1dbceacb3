import { defined } from '../base/defined.js';
import { unionOf, type Aspect, type Box } from '../base/geometry.js';
import type { CandidateLimits } from '../engines/limits.js';
import { CandidateSpace } from '../vlm/propose/candidate-space.js';
import { requireRoom } from './crop-rectangle.js';
import type { ReadyPhoto } from './ready-photo.js';
import type { Target } from './target.js';

/**
 * The limits as the model's answer is held to them. A keep box is rounded outward so that a candidate that holds it in
 * the engine's coordinates holds it in the photo; the ratio is that of these, which need not be square in the photo.
 *
 * @throws FramewrightError ASPECT_IMPOSSIBLE if no crop of the photo holds to them
 */
export function limitsInFrame(
  ready: ReadyPhoto,
  { aspect }: Target,
  keep: readonly Box[],
  minSize: number,
): CandidateLimits {
  const { photo, space: frame, map } = ready;
  const kept = unionOf(keep.map((box) => map.toFrame.box(box, 'outward')));
  const limits: CandidateLimits = {
    frame,
    minSize,
    ...(aspect ? { aspect: aspectInFrame(aspect, ready) } : {}),
    ...(kept ? { keep: kept } : {}),
  };
  if (hasRoom(limits)) return limits;
  requireRoom({ photo, keep, minSize, ...defined({ aspect }), name: photo.name });
  return withSlack(limits);
}

function aspectInFrame({ width, height }: Aspect, { photo, space: frame }: ReadyPhoto): Aspect {
  return { width: 1, height: ((height / width) * (frame.height / photo.height)) / (frame.width / photo.width) };
}

/** What just fits the photo may fail in the frame by its coarser pixels; each crop is held to the limits in the photo. */
function withSlack(limits: CandidateLimits): CandidateLimits {
  const { frame, keep, minSize: wanted } = limits;
  for (let slack = 1; ; slack++) {
    const minSize = Math.max(0, wanted - slack * (1 / frame.width + 1 / frame.height));
    const inner: Box | undefined = keep && [keep[0] + slack, keep[1] + slack, keep[2] - slack, keep[3] - slack];
    const isLeft = inner && inner[0] < inner[2] && inner[1] < inner[3];
    const { keep: _, ...rest } = limits;
    const relaxed = { ...rest, minSize, ...(isLeft ? { keep: inner } : {}) };
    if ((minSize === 0 && !isLeft) || hasRoom(relaxed)) return relaxed;
  }
}

function hasRoom(limits: CandidateLimits): boolean {
  return !new CandidateSpace(limits, [], 0).isEmpty();
}
