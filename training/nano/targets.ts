import { type CandidateLimits, meetsLimits, type ProposedBox } from '../../src/engines/limits.js';
import { aspectBoxes, freeBoxes, toPixels, toUnit } from '../../src/engines/rules/scoring/aspect-grid.js';
import { asPeopleChoose, Crossings, placeEdges } from '../../src/engines/rules/maps/edges.js';
import { detailGradient } from '../../src/engines/rules/maps/photo-maps.js';
import {
  expectedIou,
  pickDistinct,
  refine,
  type BoxDistribution,
  type RankedBox,
} from '../../src/engines/rules/scoring/select.js';
import type { UnitBox } from '../../src/engines/rules/scoring/grid.js';
import { worthOfKeeping } from '../../src/engines/rules/subject/subject.js';
import type { Raster } from '../../src/engines/types.js';
import { intersectionOverUnion, type Box, type Size } from '../../src/base/geometry.js';
import { frameMap } from '../../src/photo/frame.js';
import { BOX_KINDS, isOneOf, type Element } from '../../src/base/schema.js';
import type { ProposalRequest } from '../../src/vlm/propose/propose.js';
import type { Dice } from '../scenes/dice.js';
import type { TeacherLabels } from './labels.js';
import { distinctWithin, shaped } from '../../src/train/targets/fit-candidates.js';
import { reasonFor } from '../../src/train/targets/reason.js';
import type { PlaceLabels } from './places.js';
import { anyRatioBoxes, ratioBoxes } from './ratio-targets.js';
import { costToSubject, heldSubject, type HeldSubject } from './subject-mask.js';

/** The product's default least area of a crop. */
const MIN_SHARE = 0.25;
/** The same where a ratio is asked for that leaves no room for so much. */
const MIN_ASPECT_SHARE = 0.1;
/** Of the photos whose places are known, those that are asked for a ratio. */
const RATIO_SHARE = 0.55;
/** Differences of expected IoU as large as this count e-fold when a better candidate is preferred. */
const PREFERENCE_TEMPERATURE = 0.01;

/** What one view should make the model propose, in the frame. */
export interface ProposalTarget {
  /**
   * `teach`: the best crops, best first; `constrained`: those of an aspect or around a box; `judge`: any crops in any
   * order, only the decision is to be learned; `analyse`: nobody said what to crop, only the analysis is to be learned.
   */
  readonly kind: 'teach' | 'constrained' | 'judge' | 'analyse';
  readonly request: ProposalRequest;
  readonly candidates: readonly ProposedBox[];
  readonly listOrder: readonly number[];
  readonly preference: readonly number[];
  readonly why: string;
}

/**
 * Draws what is asked (mostly five free crops) and finds the teacher's answer. Undefined where no crop fits.
 *
 * @param picture the frame as the model sees it
 * @param proposed boxes in the photo that a model has proposed: then these are to be judged
 */
export function proposalTarget(
  roll: Dice,
  photo: Size,
  labels: TeacherLabels | undefined,
  picture: Raster,
  elements: readonly Element[],
  proposed?: readonly Box[],
  places?: PlaceLabels,
): ProposalTarget | undefined {
  const frame = picture.size;
  if (!labels) return analysisOnly(frame, elements);
  if (proposed) return judgement(roll, photo, labels, frame, elements, proposed);
  if (places && places.places.size > 0 && roll.chance(RATIO_SHARE)) return placed(roll, photo, frame, elements, places);
  const kind = roll.chance(0.2) ? 'judge' : roll.chance(places ? 0.1 : 0.25) ? 'constrained' : 'teach';
  const count = roll.chance(0.7) ? 5 : roll.whole(kind === 'judge' ? 3 : 1, 7);
  const held = places && heldSubject(places);
  const request = kind === 'constrained' ? constrainedRequest(roll, photo, frame, elements, count) : free(frame, count);
  const ranked =
    kind === 'judge'
      ? anyBoxes(roll, labels, frame, request)
      : kind === 'constrained'
        ? constrainedBoxes(photo, labels, picture, request)
        : bestBoxes(labels, picture, request, held);
  return targetOf(roll, kind, request, ranked, frame, elements);
}

/** A ratio of those whose places the teacher weighed: the best of them proposed, or any to be judged. */
function placed(
  roll: Dice,
  photo: Size,
  frame: Size,
  elements: readonly Element[],
  places: PlaceLabels,
): ProposalTarget | undefined {
  const kind = roll.chance(0.2) ? 'judge' : 'constrained';
  const count = roll.chance(0.7) ? 5 : roll.whole(kind === 'judge' ? 3 : 1, 7);
  const [aspect, ofRatio] = roll.pick([...places.places]);
  const request: ProposalRequest = { count, aspect, limits: aspectLimits(aspect, photo, frame) };
  const held = heldSubject(places);
  const ranked =
    kind === 'judge'
      ? anyRatioBoxes(roll, frame, ofRatio, held, PREFERENCE_TEMPERATURE, count)
      : pickDistinct(ratioBoxes(frame, ofRatio, held, PREFERENCE_TEMPERATURE), count);
  const inShape = ranked.map(({ box, worth }) => ({ box: shaped(box, request.limits), worth }));
  return targetOf(roll, kind, request, distinctWithin(inShape, request.limits), frame, elements);
}

/** Frame pixels need not be square in the photo. */
function aspectLimits(aspect: string, photo: Size, frame: Size): CandidateLimits {
  const [width, height] = aspect.split(':').map(Number) as [number, number];
  const heightPerWidth = ((height / width) * (frame.height / photo.height)) / (frame.width / photo.width);
  return { frame, minSize: MIN_ASPECT_SHARE, aspect: { width: 1, height: heightPerWidth } };
}

/** A model's own proposals, in its order. */
function judgement(
  roll: Dice,
  photo: Size,
  { distribution }: TeacherLabels,
  frame: Size,
  elements: readonly Element[],
  proposed: readonly Box[],
): ProposalTarget | undefined {
  const map = frameMap(photo, frame);
  const request = free(frame, proposed.length);
  const ranked = proposed.map((box) => ({
    box: map.toFrame.box(box),
    worth: expectedIou(toUnit(box, photo), distribution),
  }));
  return targetOf(roll, 'judge', request, distinctWithin(ranked, request.limits), frame, elements);
}

function targetOf(
  roll: Dice,
  kind: ProposalTarget['kind'],
  request: ProposalRequest,
  ranked: readonly RankedBox[],
  frame: Size,
  elements: readonly Element[],
): ProposalTarget | undefined {
  if (ranked.length === 0) return undefined;
  const candidates = ranked.map(({ box }) => ({ boxInFrame: box, why: reasonFor(box, frame, elements) }));
  const preference = softmax(ranked.map(({ worth }) => worth / PREFERENCE_TEMPERATURE));
  const best = preference.indexOf(Math.max(...preference));
  const turn = roll.chance(0.5) ? 0 : roll.whole(0, ranked.length - 1);
  return {
    kind,
    // The form may find no room for as many as were asked for: then it must not be taught to ask for more.
    request: { ...request, count: candidates.length },
    candidates,
    listOrder: candidates.map((_, i) => (i + turn) % candidates.length),
    preference,
    why: candidates[best]!.why,
  };
}

/** The whole photo stands in for crops. */
function analysisOnly(frame: Size, elements: readonly Element[]): ProposalTarget {
  const whole: Box = [0, 0, frame.width, frame.height];
  const why = reasonFor(whole, frame, elements);
  const candidates = [{ boxInFrame: whole, why }];
  return { kind: 'analyse', request: free(frame, 1), candidates, listOrder: [0], preference: [1], why };
}

function free(frame: Size, count: number): ProposalRequest {
  return { count, limits: { frame, minSize: MIN_SHARE } };
}

const ASPECTS = ['1:1', '4:5', '5:4', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16'] as const;

function constrainedRequest(
  roll: Dice,
  photo: Size,
  frame: Size,
  elements: readonly Element[],
  count: number,
): ProposalRequest {
  const subject = elements.find((element) => isOneOf(BOX_KINDS, element.type));
  const keep = subject && 'box' in subject && roll.chance(0.35) ? (subject.box as Box) : undefined;
  const aspect = keep && roll.chance(0.6) ? undefined : roll.pick(ASPECTS);
  return {
    count,
    ...(aspect ? { aspect } : {}),
    limits: {
      ...(aspect ? aspectLimits(aspect, photo, frame) : { frame, minSize: MIN_SHARE }),
      ...(keep ? { keep } : {}),
    },
  };
}

/** As the rules engine does it under constraints, but by the free distribution and the subject alone, which are at hand. */
function constrainedBoxes(
  photo: Size,
  { distribution, elements }: TeacherLabels,
  picture: Raster,
  { aspect, count, limits }: ProposalRequest,
): RankedBox[] {
  const map = frameMap(photo, picture.size);
  const subject = elements.flatMap((element) => ('box' in element ? [toUnit(element.box, photo)] : []))[0];
  const ratio = aspect?.split(':').map(Number) as [number, number] | undefined;
  const rules = {
    count,
    minSize: limits.minSize,
    ...(limits.keep ? { keep: [map.toPhoto.box(limits.keep, 'outward')] } : {}),
  };
  const boxes = ratio
    ? aspectBoxes(photo, { width: ratio[0], height: ratio[1] }, rules)
    : freeBoxes(photo, distribution.boxes, rules);
  const ranked = boxes.map((box) => {
    const unit = toUnit(box, photo);
    const keeping = ratio && subject ? worthOfKeeping(subject, unit) : 0;
    return { box, worth: expectedIou(unit, distribution) + keeping };
  });
  const picked = pickDistinct(ranked, count).map(({ box, worth }) => ({
    box: shaped(map.toFrame.box(box), limits),
    worth,
  }));
  return distinctWithin(ratio ? picked : edgesPlaced(picked, distribution, picture, limits), limits);
}

/** With their edges where they cut least, where that breaks no rule and costs the subject nothing. */
function edgesPlaced(
  ranked: readonly RankedBox[],
  distribution: BoxDistribution,
  picture: Raster,
  limits: CandidateLimits,
  held?: HeldSubject,
): RankedBox[] {
  const crossings = new Crossings(detailGradient(picture));
  return ranked.map((item) => {
    const unit = placeEdges(toUnit(item.box, picture.size), crossings, asPeopleChoose(distribution));
    const box = toPixels(unit, picture.size);
    const before = costToSubject(held, toUnit(item.box, picture.size));
    const cost = costToSubject(held, unit);
    return meetsLimits(box, limits) && cost <= before ? { box, worth: expectedIou(unit, distribution) - cost } : item;
  });
}

/**
 * The box of greatest expected IoU, less what it does to the subject, refined off the grid, then others that differ clearly.
 */
function bestBoxes(
  { distribution }: TeacherLabels,
  picture: Raster,
  { count, limits }: ProposalRequest,
  held: HeldSubject | undefined,
): RankedBox[] {
  const worthOf = (unit: UnitBox): number => expectedIou(unit, distribution) - costToSubject(held, unit);
  const worths = distribution.boxes.map((unit) => ({ unit, worth: worthOf(unit) }));
  const first = worths.reduce((a, b) => (b.worth > a.worth ? b : a));
  const refined = refine(first.unit, distribution);
  const all = [{ unit: refined, worth: worthOf(refined) }, ...worths];
  const picked = pickDistinct(
    all.map(({ unit, worth }) => ({ box: toPixels(unit, picture.size), worth })),
    count,
  );
  return distinctWithin(edgesPlaced(picked, distribution, picture, limits, held), limits);
}

/** Boxes of every quality, as a model might propose them: some likely, some drawn blindly, in no order. */
function anyBoxes(
  roll: Dice,
  { distribution }: TeacherLabels,
  frame: Size,
  { count, limits }: ProposalRequest,
): RankedBox[] {
  const { boxes, probabilities } = distribution;
  const drawn: RankedBox[] = [];
  for (let attempt = 0; attempt < 60 && drawn.length < count; attempt++) {
    const unit = roll.chance(0.5) ? boxes[drawIndex(roll, probabilities)]! : roll.pick(boxes);
    const moved = unit.map((edge) => Math.min(1, Math.max(0, edge + 0.02 * roll.normal()))) as unknown as UnitBox;
    const box = toPixels(moved, frame);
    const worth = expectedIou(moved, distribution);
    if (drawn.every((other) => intersectionOverUnion(box, other.box) < 0.9)) drawn.push({ box, worth });
  }
  return distinctWithin(drawn, limits);
}

function drawIndex(roll: Dice, probabilities: ArrayLike<number>): number {
  let left = roll.unit();
  for (let i = 0; i < probabilities.length; i++) {
    left -= probabilities[i]!;
    if (left < 0) return i;
  }
  return probabilities.length - 1;
}

function softmax(logits: readonly number[]): number[] {
  const greatest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - greatest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
