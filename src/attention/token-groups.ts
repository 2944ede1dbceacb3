import type { ConversationPart } from '../engines/engine.js';

/**
 * What the tokens before and in an answer are: names of elements and coordinates in the composition's answer, the rest of
 * that answer; image tokens whose square holds an element or none, of the photo and of the image shown second; prompts;
 * the answer's own earlier tokens.
 */
export const TOKEN_GROUPS = [
  'names',
  'coordinates',
  'form',
  'photoInside',
  'photoOutside',
  'secondInside',
  'secondOutside',
  'prompts',
  'answer',
] as const;
export type TokenGroup = (typeof TOKEN_GROUPS)[number];

const NAME = /(?<="(?:type|label)": ?")[a-z_]+/g;
/** Not the one in `bbox_2d`. */
const NUMBER = /(?<!_)\d+/g;

/**
 * The group of each token of an analysis (JSON Lines): a token that holds a part of an element's name is a name, one that
 * holds a digit outside names a coordinate, any other form.
 * @param texts of the tokens, in order
 */
export function analysisGroups(texts: readonly string[]): TokenGroup[] {
  const whole = texts.join('');
  const spansOf = (pattern: RegExp): (readonly [number, number])[] =>
    [...whole.matchAll(pattern)].map(({ index, 0: { length } }) => [index, index + length]);
  const [names, numbers] = [spansOf(NAME), spansOf(NUMBER)];
  let start = 0;
  return texts.map((text) => {
    const [from, to] = [start, (start += text.length)];
    const overlaps = ([a, b]: readonly [number, number]): boolean => a < to && b > from;
    return names.some(overlaps) ? 'names' : numbers.some(overlaps) ? 'coordinates' : 'form';
  });
}

/**
 * The group of each token of a conversation up to its last answer, that one included.
 * @param insideCells for each image token, row by row, whether its square holds an element
 */
export function conversationGroups(
  parts: readonly ConversationPart[],
  insideCells: readonly boolean[],
  tokenText: (token: number) => string,
): TokenGroup[] {
  const last = parts.findLastIndex(({ kind }) => kind === 'answer');
  let nImages = 0;
  return parts.slice(0, last + 1).flatMap((part, i): TokenGroup[] => {
    if (part.kind === 'image') {
      const [inside, outside] =
        nImages++ === 0 ? (['photoInside', 'photoOutside'] as const) : (['secondInside', 'secondOutside'] as const);
      return insideCells.map((isInside) => (isInside ? inside : outside));
    }
    if (part.kind === 'prompt') return part.tokens.map(() => 'prompts');
    return i === last ? part.tokens.map(() => 'answer') : analysisGroups(part.tokens.map(tokenText));
  });
}
