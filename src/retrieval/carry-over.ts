import { unionOf, type Box, type Size } from '../base/geometry.js';
import { impossible } from '../engines/constraints.js';
import { aspectBoxes, freeBoxes, growAround, toPixels, toUnit } from '../engines/rules/scoring/aspect-grid.js';
import { gridBoxes, type UnitBox } from '../engines/rules/scoring/grid.js';
import {
  expectedIou,
  pickDistinct,
  refine,
  type BoxDistribution,
  type RankedBox,
} from '../engines/rules/scoring/select.js';
import type { EngineOptions, EngineProposal } from '../engines/types.js';
import type { Neighbour } from './crop-index.js';

/** A photo that is like the one to be cropped, as it is or in a mirror. */
export interface Example extends Neighbour {
  readonly isMirrored: boolean;
}

/**
 * Examples whose likeness differs by as much count e-fold less. With `EXAMPLES` from a sweep on FLMS' dev half,
 * leave-one-out: 1 example alone has a mean IoU of .634, 20 .669, 80 .667; .05, .1 and .2 differ by .002.
 */
const LIKENESS_TEMPERATURE = 0.1;
export const EXAMPLES = 20;

/** Differences of expected IoU as large as this count e-fold in a candidate's score; as the rules have it. */
const SCORE_TEMPERATURE = 0.02;

/**
 * The crops that people made of photos like this one, carried over to it: each is a vote for its place in the frame, the
 * more alike the photo the heavier, and the crops proposed are those that agree best with the votes.
 *
 * @param size of the frame, in its pixels, which the boxes are in
 * @throws FramewrightError `ASPECT_IMPOSSIBLE` where aspect, keep boxes and least area cannot hold together
 */
export function carryOver(examples: readonly Example[], size: Size, options: EngineOptions): EngineProposal {
  const votes = votesOf(examples);
  const worth = (box: Box): number => expectedIou(toUnit(box, size), votes);
  const boxes = options.aspect ? aspectBoxes(size, options.aspect, options) : anyBoxes(votes, size, options);
  const ranked: RankedBox[] = boxes.map((box) => ({ box, worth: worth(box) }));
  if (ranked.length === 0) throw impossible(size, options);
  const picked = pickDistinct(ranked, Math.max(1, options.count));
  const weights = picked.map(({ worth: each }) => Math.exp((each - picked[0]!.worth) / SCORE_TEMPERATURE));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const why = whyOf(examples);
  return {
    elements: [],
    candidates: picked.map(({ box }, i) => ({ box, score: weights[i]! / total, why })),
    best: 0,
  };
}

/** What most agree on, to finer steps than the grid's, then the grid and the votes themselves. */
function anyBoxes(votes: BoxDistribution, size: Size, options: EngineOptions): Box[] {
  const units = [...gridBoxes(), ...votes.boxes];
  const best = units.reduce((a, b) => (expectedIou(b, votes) > expectedIou(a, votes) ? b : a));
  const refined = growAround(toPixels(refine(best, votes), size), unionOf(options.keep ?? []));
  return freeBoxes(size, [toUnit(refined, size), ...units], options);
}

/** Of all examples together 1; the crops of one photo share its weight. */
function votesOf(examples: readonly Example[]): BoxDistribution {
  const most = Math.max(...examples.map(({ similarity }) => similarity));
  const votes = examples.flatMap(({ photo, similarity, isMirrored }) => {
    const weight = Math.exp((similarity - most) / LIKENESS_TEMPERATURE) / photo.boxes.length;
    return photo.boxes.map((box) => ({ box: isMirrored ? mirrored(box) : box, weight }));
  });
  const total = votes.reduce((sum, { weight }) => sum + weight, 0);
  return {
    boxes: votes.map(({ box }) => box),
    probabilities: Float64Array.from(votes, ({ weight }) => weight / total),
  };
}

function mirrored([x1, y1, x2, y2]: UnitBox): UnitBox {
  return [1 - x2, y1, 1 - x1, y2];
}

function whyOf(examples: readonly Example[]): string {
  const [nearest] = examples;
  const likeness = nearest!.similarity.toFixed(2);
  const how = nearest!.isMirrored ? ', mirrored' : '';
  const them = examples.length === 1 ? 'one photo like it was' : `${examples.length} photos like it were`;
  return `as ${them} cropped; most alike: ${nearest!.photo.name} (${likeness}${how})`;
}
