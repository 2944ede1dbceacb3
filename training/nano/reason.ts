import type { Box, Size } from '../../src/base/geometry.js';
import { BOX_KINDS, isOneOf, type Element } from '../../src/base/schema.js';
import { isTrueClaim, PHRASE_OF, type Claim } from '../../src/vlm/answer/true-reasons.js';

/** Which of the places of a subject that are true of a crop is named, the most telling first. */
const SUBJECT_CLAIMS: readonly Claim[] = ['golden_ratio', 'rule_of_thirds', 'center'];

/** What the crop does with the elements: where it puts the subject first, else the clearest line or shape it keeps. */
export function reasonFor(crop: Box, frame: Size, elements: readonly Element[]): string {
  const isTrue = (claim: Claim): boolean => isTrueClaim(claim, crop, frame, elements);
  if (isTrue('whole')) return PHRASE_OF.whole;
  const lines = elements.map(({ type }) => type).filter((type) => !isOneOf(BOX_KINDS, type));
  return PHRASE_OF[[...SUBJECT_CLAIMS, ...lines].find(isTrue) ?? 'tighter'];
}

export function checkPhrases(phrases: readonly string[]): void {
  const missing = Object.values(PHRASE_OF).filter((phrase) => !phrases.includes(phrase));
  if (missing.length > 0) throw new Error(`the prompt profile does not know the phrases ${missing.join(', ')}`);
}
