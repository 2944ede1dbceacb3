import { boxArea, type Box, type Size } from '../../src/base/geometry.js';
import { BOX_KINDS, isOneOf, type Element, type ElementKind } from '../../src/base/schema.js';

/** The phrase of the compact profile that says why a crop is good; `phrases` is the profile's own list. */
const PHRASE_OF: Readonly<Record<ElementKind | 'whole' | 'tighter', string>> = {
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

const WHOLE_SHARE = 0.94;
/** How far from a composition's line, in shares of the crop's side, a subject's centre still counts as on it. */
const REACH = 0.05;

/** What the crop does with the elements: where it puts the subject first, else the clearest line or shape it keeps. */
export function reasonFor(crop: Box, frame: Size, elements: readonly Element[]): string {
  if (boxArea(crop) > WHOLE_SHARE * frame.width * frame.height) return PHRASE_OF.whole;
  const subject = elements.find((element) => isOneOf(BOX_KINDS, element.type));
  if (subject && 'box' in subject) {
    const place = placeOf(subject.box, crop);
    if (place) return PHRASE_OF[place];
  }
  const kept = elements.find((element) => !('box' in element) && middleInside(element, crop));
  return kept ? PHRASE_OF[kept.type] : PHRASE_OF.tighter;
}

export function checkPhrases(phrases: readonly string[]): void {
  const missing = Object.values(PHRASE_OF).filter((phrase) => !phrases.includes(phrase));
  if (missing.length > 0) throw new Error(`the prompt profile does not know the phrases ${missing.join(', ')}`);
}

function placeOf(subject: Box, [x1, y1, x2, y2]: Box): ElementKind | undefined {
  const cx = ((subject[0] + subject[2]) / 2 - x1) / (x2 - x1);
  const cy = ((subject[1] + subject[3]) / 2 - y1) / (y2 - y1);
  const off = Math.abs(cx - 0.5);
  if (cx < 0 || cx > 1 || cy < 0 || cy > 1) return undefined;
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
