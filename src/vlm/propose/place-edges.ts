import { type CandidateLimits, meetsLimits, type ProposedBox } from '../../engines/limits.js';
import { toPixels, toUnit } from '../../engines/rules/scoring/aspect-grid.js';
import { Crossings, near, placeEdges } from '../../engines/rules/maps/edges.js';
import { detailGradient } from '../../engines/rules/maps/photo-maps.js';
import type { FrameImage } from '../../engines/frame-image.js';

/**
 * Free candidates with each edge moved a little, to where it cuts through less: for a model whose coordinates are coarser
 * than the tip of a roof. Those of a fixed ratio stay, and any that would break a limit or be another one again.
 */
export function placeCandidates(
  { rgb, frame }: FrameImage,
  candidates: readonly ProposedBox[],
  limits: CandidateLimits,
): ProposedBox[] {
  if (limits.aspect) return [...candidates];
  const crossings = new Crossings(detailGradient({ data: rgb, size: frame }));
  const taken = new Set(candidates.map(({ boxInFrame }) => boxInFrame.join()));
  return candidates.map((candidate) => {
    const unit = toUnit(candidate.boxInFrame, limits.frame);
    const box = toPixels(placeEdges(unit, crossings, near(unit)), limits.frame);
    if (taken.has(box.join()) || !meetsLimits(box, limits)) return candidate;
    taken.add(box.join());
    return { ...candidate, boxInFrame: box };
  });
}
