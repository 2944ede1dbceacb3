/** A piece of an answer, and whether the model decides it in use or the answer's form dictates it. */
export interface AnswerPiece {
  readonly tokens: string;
  readonly isDecided: boolean;
  /** A coordinate, along which side of the frame. */
  readonly axis?: 'x' | 'y';
}

/**
 * Pieces meet where the answer forms have them meet (src/vlm/analyse, propose, decide): an element's opening, whole
 * numbers, reasons, and whether a list goes on are decided; brackets, commas and names of fields are not.
 */
const PIECES = new RegExp(
  [
    String.raw`(?<kind>\{"type":"\w+","\w+":\[+)`,
    String.raw`(?<number>\d+)`,
    String.raw`(?<reason>(?<="why":")[^"]*"\}\n)`,
    String.raw`(?<more>\],\[(?=\d+,\d+\](?:,|\]))|\]\]\}\n)`,
    String.raw`\{"box":\[|\],"why":"|\{"best":|,"why":"|\],\[|\]\}\n|,`,
    String.raw`[\s\S]`,
  ].join('|'),
  'g',
);

export function answerPieces(text: string): AnswerPiece[] {
  return [...text.matchAll(PIECES)].map(({ 0: tokens, groups, index }) => ({
    tokens,
    // Groups that took no part are undefined, whatever their type says.
    isDecided: Object.values(groups ?? {}).some((group: string | undefined) => group !== undefined),
    ...(groups?.number !== undefined && axisAt(text.slice(0, index))),
  }));
}

/** Lists in brackets hold x and y in turns, whatever they are lists of; a number outside is no coordinate. */
function axisAt(before: string): Pick<AnswerPiece, 'axis'> {
  const opening = before.lastIndexOf('[');
  if (opening <= before.lastIndexOf(']')) return {};
  const nBefore = before.slice(opening).split(',').length - 1;
  return { axis: nBefore % 2 === 0 ? 'x' : 'y' };
}
