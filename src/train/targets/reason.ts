import { boxArea, type Box, type Size } from '../../base/geometry.js';
import { BOX_KINDS, isOneOf, type Element, type ElementKind } from '../../base/schema.js';
import { PHRASE_OF, type Claim } from '../../vlm/answer/true-reasons.js';
import type { PromptProfile } from '../../vlm/prompt/prompt-profile.js';

/** How the sentence of a profile that takes sentences begins. */
const CLAUSE_OF: Readonly<Record<Claim, string>> = {
  rule_of_thirds: 'The subject sits on a line of thirds',
  center: 'The subject sits in the center',
  golden_ratio: 'The subject sits on the golden section',
  horizontal: 'The horizon runs level through the picture',
  vertical: 'The upright lines give it a steady frame',
  diagonal: 'The diagonal leads into the picture',
  symmetric: 'The symmetry is kept',
  curved: 'The curve flows through the picture',
  triangle: 'The triangle holds the picture together',
  vanishing_point: 'The lines lead to the vanishing point',
  whole: 'The whole photo is balanced as it is',
  tighter: 'There is less empty space around what matters',
};

/** A side trimmed by at least this share of the frame is named in a sentence. */
const NAMED_TRIM_SHARE = 0.12;

const WHOLE_SHARE = 0.94;
/** How far from a composition's line, in shares of the crop's side, a subject's centre still counts as on it: within what is true. */
const REACH = 0.05;

/** Why a crop is good, in the words the profile's answers have: one of its phrases, or a sentence. */
export function reasonIn({ reasons }: PromptProfile, crop: Box, frame: Size, elements: readonly Element[]): string {
  return reasons.kind === 'phrase' ? reasonFor(crop, frame, elements) : sentenceFor(crop, frame, elements);
}

/** As a phrase: where the crop puts the subject first, else the clearest line or shape it keeps. */
export function reasonFor(crop: Box, frame: Size, elements: readonly Element[]): string {
  return PHRASE_OF[reasonOf(crop, frame, elements)];
}

function sentenceFor(crop: Box, frame: Size, elements: readonly Element[]): string {
  const reason = reasonOf(crop, frame, elements);
  const side = reason === 'whole' ? undefined : trimmedSide(crop, frame);
  return `${CLAUSE_OF[reason]}${side === undefined ? '' : `, and the ${side} is left out`}.`;
}

function trimmedSide([x1, y1, x2, y2]: Box, { width, height }: Size): string | undefined {
  const trims = [
    ['left', x1 / width],
    ['top', y1 / height],
    ['right', 1 - x2 / width],
    ['bottom', 1 - y2 / height],
  ] as const;
  const [side, share] = trims.reduce((most, trim) => (trim[1] > most[1] ? trim : most));
  return share >= NAMED_TRIM_SHARE ? side : undefined;
}

function reasonOf(crop: Box, frame: Size, elements: readonly Element[]): Claim {
  if (boxArea(crop) > WHOLE_SHARE * frame.width * frame.height) return 'whole';
  const subject = elements.find((element) => isOneOf(BOX_KINDS, element.type));
  if (subject && 'box' in subject) {
    const place = placeOf(subject.box, crop);
    if (place) return place;
  }
  return elements.find((element) => !('box' in element) && middleInside(element, crop))?.type ?? 'tighter';
}

export function checkPhrases(phrases: readonly string[]): void {
  const missing = Object.values(PHRASE_OF).filter((phrase) => !phrases.includes(phrase));
  if (missing.length > 0) throw new Error(`the prompt profile does not know the phrases ${missing.join(', ')}`);
}

function placeOf(subject: Box, [x1, y1, x2, y2]: Box): ElementKind | undefined {
  const cx = ((subject[0] + subject[2]) / 2 - x1) / (x2 - x1);
  const cy = ((subject[1] + subject[3]) / 2 - y1) / (y2 - y1);
  const off = Math.abs(cx - 0.5);
  if (cx < 0 || cx >= 1 || cy < 0 || cy >= 1) return undefined;
  if (off < REACH) return 'center';
  if (Math.abs(off - (0.5 - 0.382)) < 0.025) return 'golden_ratio';
  return Math.abs(off - 1 / 6) < REACH ? 'rule_of_thirds' : undefined;
}

function middleInside(element: Element, [x1, y1, x2, y2]: Box): boolean {
  const points =
    'line' in element
      ? [[(element.line[0] + element.line[2]) / 2, (element.line[1] + element.line[3]) / 2]]
      : 'points' in element
        ? element.points
        : 'lines' in element
          ? [element.lines[0]!]
          : [];
  return points.length > 0 && points.every(([x, y]) => x! >= x1 && x! < x2 && y! >= y1 && y! < y2);
}
