import type { AnswerWriter } from './writer.js';

/** What a model may give as a reason: a sentence of its own, or one of the phrases it was trained on. */
export type Reasons =
  | { readonly kind: 'sentence'; readonly maxTokens: number }
  | { readonly kind: 'phrase'; readonly phrases: readonly string[] };

const CLOSING = '"}\n';

/** Whether a phrase is true of the crop it is to be a reason for. */
export type IsTrue = (phrase: string) => boolean;

/** Writes the reason and closes its line. Of phrases only those that are true are offered; at least one must be. */
export function writeReason(answer: AnswerWriter, reasons: Reasons, isTrue: IsTrue = () => true): Promise<string> {
  return reasons.kind === 'sentence'
    ? answer.sentence({ maxTokens: reasons.maxTokens, then: CLOSING })
    : answer.choose(reasons.phrases.filter(isTrue).map((phrase) => ({ value: phrase, text: phrase + CLOSING })));
}
