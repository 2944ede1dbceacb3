import type { CandidateLimits } from '../answer/candidate-space.js';
import { trimsSliver, type ProposedBox } from '../answer/candidates-form.js';
import { Crossings, near, placeEdges } from '../engines/rules/edges.js';
import { detailGradient } from '../engines/rules/photo-maps.js';
import { boxArea, type Box } from '../geometry.js';
import type { FrameImage } from '../prompt/conversation.js';

/**
 * Free candidates with each edge moved a little, to where it cuts through less: for a model whose coordinates are coarser
 * than the tip of a roof. Those of a fixed ratio stay, and any that would break a limit or be another one again.
 */
export function placeCandidates(
  { rgb, frame }: FrameImage,
  candidates: readonly ProposedBox[],
  limits: CandidateLimits,
): ProposedBox[] {
  if (limits.heightPerWidth !== undefined) return [...candidates];
  const crossings = new Crossings(detailGradient({ data: rgb, size: frame }));
  const taken = new Set(candidates.map(({ boxInFrame }) => boxInFrame.join()));
  return candidates.map((candidate) => {
    const [x1, y1, x2, y2] = candidate.boxInFrame;
    const { width, height } = frame;
    const unit = [x1 / width, y1 / height, x2 / width, y2 / height] as const;
    const placed = placeEdges(unit, crossings, near(unit));
    const box = placed.map((edge, i) => Math.round(edge * (i % 2 === 0 ? width : height))) as unknown as Box;
    if (taken.has(box.join()) || !allows(limits, box)) return candidate;
    taken.add(box.join());
    return { ...candidate, boxInFrame: box };
  });
}

function allows(limits: CandidateLimits, box: Box): boolean {
  const { frame, keep, minShare } = limits;
  const holds = !keep || (box[0] <= keep[0] && box[1] <= keep[1] && box[2] >= keep[2] && box[3] >= keep[3]);
  return holds && boxArea(box) >= minShare * frame.width * frame.height && !trimsSliver(box, limits);
}
