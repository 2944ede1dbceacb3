import { unionOf, type Aspect, type Box, type Size } from '../../base/geometry.js';
import type { Element } from '../../base/schema.js';
import { allows, impossible } from '../constraints.js';
import type { EngineLook, EngineOptions, EngineProposal, Raster } from '../types.js';
import { analyseRaster, scoringContext, type PhotoAnalysis } from './analysis.js';
import { aspectBoxes, freeBoxes, growAround, toPixels, toUnit } from './scoring/aspect-grid.js';
import { asPeopleChoose, Crossings, placeEdges } from './maps/edges.js';
import { composition } from './elements.js';
import { gridBoxes, type UnitBox } from './scoring/grid.js';
import { scoreBoxes } from './scoring/scorer.js';
import { defaultScorer } from './scoring/weights.js';
import { expectedIou, pickDistinct, refine, type BoxDistribution, type RankedBox } from './scoring/select.js';
import { worthOfKeeping } from './subject/subject.js';
import { explain } from './why.js';

/** Differences of expected IoU as large as this count e-fold in a candidate's score. */
const SCORE_TEMPERATURE = 0.02;

/** Everything the rules know about a photo before any constraint: what a student model is distilled from. */
export interface RulesLabels {
  readonly analysis: PhotoAnalysis;
  /** Raster pixels. */
  readonly elements: Element[];
  /** All grid boxes (fractions 0..1) with the probability that a person would choose each. */
  readonly distribution: BoxDistribution;
}

export function rulesLabels(raster: Raster): RulesLabels {
  const { analysis, elements, distribution } = weigh(raster);
  return { analysis, elements, distribution };
}

interface Weighed extends RulesLabels {
  /** The same for any other set of boxes (fractions 0..1). */
  readonly over: (boxes: readonly UnitBox[]) => BoxDistribution;
}

function weigh(raster: Raster, heads: readonly Box[] = []): Weighed {
  const analysis = analyseRaster(raster, heads);
  const context = scoringContext(analysis);
  const scorer = defaultScorer();
  const over = (boxes: readonly UnitBox[]): BoxDistribution => ({
    boxes,
    probabilities: scoreBoxes(scorer, context, boxes).map(Math.exp),
  });
  return { analysis, elements: composition(analysis, raster.size), distribution: over(gridBoxes()), over };
}

/**
 * Crops by hand-made features and a small fitted scorer, no model: finds the composition, weighs all grid boxes, and
 * takes the box with the highest expected IoU under the resulting distribution, its edges where they cut least. Pure and
 * deterministic. A candidate's score is the softmax over the candidates of that expected IoU.
 *
 * @throws FramewrightError `ASPECT_IMPOSSIBLE` where aspect, keep boxes and least area cannot hold together
 */
export function rules(raster: Raster, options: EngineOptions): EngineProposal {
  return lookAtByRules(raster).propose(options);
}

/**
 * The composition of a photo, and from one look at it crops within any limits.
 *
 * @param heads of people, raster pixels: where there are any, they are the subject
 */
export function lookAtByRules(raster: Raster, heads: readonly Box[] = []): EngineLook<EngineProposal> {
  const weighed = weigh(raster, heads);
  return { elements: weighed.elements, propose: (options) => proposed(weighed, raster.size, options) };
}

function proposed(weighed: Weighed, size: Size, options: EngineOptions): EngineProposal {
  const { analysis, elements, distribution } = weighed;
  const ranked =
    options.aspect === undefined
      ? rankFree(distribution, size, options)
      : rankAspect(weighed, size, options.aspect, options);
  if (ranked.length === 0) throw impossible(size, options);
  const distinct = pickDistinct(ranked, Math.max(1, options.count));
  const picked = options.aspect === undefined ? placed(distinct, weighed, size, options) : distinct;
  const weights = picked.map(({ worth }) => Math.exp((worth - picked[0]!.worth) / SCORE_TEMPERATURE));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const candidates = picked.map(({ box }, i) => ({
    box,
    score: weights[i]! / total,
    why: explain(toUnit(box, size), analysis),
  }));
  return { elements, candidates, best: 0 };
}

function rankFree(distribution: BoxDistribution, size: Size, options: EngineOptions): RankedBox[] {
  const worth = (box: Box): number => expectedIou(toUnit(box, size), distribution);
  const ranked = freeBoxes(size, distribution.boxes, options).map((box) => ({ box, worth: worth(box) }));
  const first = ranked.reduce<RankedBox | undefined>((a, b) => (a && a.worth >= b.worth ? a : b), undefined);
  if (!first) return [];
  const refined = growAround(
    toPixels(refine(toUnit(first.box, size), distribution), size),
    unionOf(options.keep ?? []),
  );
  const fine = freeBoxes(size, [toUnit(refined, size)], options).map((box) => ({ box, worth: worth(box) }));
  return [...fine, ...ranked];
}

/** The boxes with their edges placed; one that would break a rule, or be another again, stays as it is. */
function placed(
  ranked: readonly RankedBox[],
  { analysis, distribution }: Weighed,
  size: Size,
  options: EngineOptions,
): RankedBox[] {
  const crossings = new Crossings(analysis.maps.gradient);
  const rules = asPeopleChoose(distribution);
  const seen = new Set(ranked.map(({ box }) => box.join()));
  return ranked.map((item) => {
    const box = toPixels(placeEdges(toUnit(item.box, size), crossings, rules), size);
    if (seen.has(box.join()) || !allows(box, size, options)) return item;
    seen.add(box.join());
    return { box, worth: item.worth };
  });
}

/**
 * With a fixed aspect: the mean of the expected IoU under the free distribution and under the scores of the family's own
 * boxes, and what keeping the subject is worth.
 */
function rankAspect(
  { analysis, distribution, over }: Weighed,
  size: Size,
  aspect: Aspect,
  options: EngineOptions,
): RankedBox[] {
  const boxes = aspectBoxes(size, aspect, options);
  if (boxes.length === 0) return [];
  const family = over(boxes.map((box) => toUnit(box, size)));
  return boxes.map((box, i) => {
    const unit = family.boxes[i]!;
    const expected = (expectedIou(unit, distribution) + expectedIou(unit, family)) / 2;
    return { box, worth: expected + worthOfKeeping(analysis.subject.box, unit) };
  });
}
