import { boxArea, type Box, type Point, type Size } from '../../base/geometry.js';
import { BOX_KINDS, isOneOf, type Element, type ElementKind } from '../../base/schema.js';

/** What a phrase claims of a crop: where it puts the subject, what it keeps, or how much it trims. */
export type Claim = ElementKind | 'whole' | 'tighter';

/** The phrase of the compact profile for each claim. */
export const PHRASE_OF: Readonly<Record<Claim, string>> = {
  rule_of_thirds: 'subject on the thirds',
  center: 'subject in the center',
  golden_ratio: 'subject on the golden ratio',
  horizontal: 'level horizon',
  vertical: 'upright lines',
  diagonal: 'leading diagonal',
  symmetric: 'symmetry kept',
  curved: 'flowing curve',
  triangle: 'steady triangle',
  vanishing_point: 'lines lead to the vanishing point',
  whole: 'the whole photo is balanced',
  tighter: 'less empty space',
};
const CLAIM_OF = new Map(Object.entries(PHRASE_OF).map(([claim, phrase]) => [phrase, claim as Claim]));

/** A crop of more than this share of the frame is the whole photo. */
const WHOLE_SHARE = 0.94;
/** Where a subject's middle lies, as its distance from the crop's middle in shares of the width, and how far off that it may be. */
const SUBJECT_OFF: Readonly<Record<(typeof BOX_KINDS)[number], readonly [off: number, reach: number]>> = {
  center: [0, 0.08],
  golden_ratio: [0.5 - 0.382, 0.03],
  rule_of_thirds: [1 / 6, 0.05],
};

/**
 * Whether a phrase is true of a crop, by the elements that were found and where they come to lie. Exactly one of `whole` and
 * `tighter` always is. Phrases that no claim is known of are let through.
 */
export function isTrueReason(phrase: string, crop: Box, frame: Size, elements: readonly Element[]): boolean {
  const claim = CLAIM_OF.get(phrase);
  return claim === undefined || isTrueClaim(claim, crop, frame, elements);
}

export function isTrueClaim(claim: Claim, crop: Box, frame: Size, elements: readonly Element[]): boolean {
  const isWhole = boxArea(crop) > WHOLE_SHARE * frame.width * frame.height;
  if (claim === 'whole') return isWhole;
  if (claim === 'tighter') return !isWhole;
  if (isOneOf(BOX_KINDS, claim)) {
    const [off, reach] = SUBJECT_OFF[claim];
    const [middle] = elements.flatMap((element) => ('box' in element ? [placeIn(crop, middleOf(element.box))] : []));
    return middle !== undefined && isInside(middle) && Math.abs(Math.abs(middle[0] - 0.5) - off) < reach;
  }
  return elements.some(
    (element) => element.type === claim && restsOn(element).every((at) => isInside(placeIn(crop, at))),
  );
}

/** What of a line or shape must be inside for a crop to keep it. */
function restsOn(element: Element): readonly Point[] {
  if ('line' in element) return [middleOf(element.line)];
  if ('points' in element) return element.points;
  // The first two numbers of each line are the vanishing point.
  return 'lines' in element ? [[element.lines[0]![0], element.lines[0]![1]]] : [];
}

function middleOf([x1, y1, x2, y2]: readonly [number, number, number, number]): Point {
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

/** Shares of the crop's sides. */
function placeIn([x1, y1, x2, y2]: Box, [x, y]: Point): Point {
  return [(x - x1) / (x2 - x1), (y - y1) / (y2 - y1)];
}

function isInside([x, y]: Point): boolean {
  return x >= 0 && x < 1 && y >= 0 && y < 1;
}
