import type { AnswerWriter } from './writer.js';

/** What a model may give as a reason: a sentence of its own, or one of the phrases it was trained on. */
export type Reasons =
  | { readonly kind: 'sentence'; readonly maxTokens: number }
  | { readonly kind: 'phrase'; readonly phrases: readonly string[] };

const CLOSING = '"}\n';

/** Writes the reason and closes its line. */
export function writeReason(answer: AnswerWriter, reasons: Reasons): Promise<string> {
  return reasons.kind === 'sentence'
    ? answer.sentence({ maxTokens: reasons.maxTokens, then: CLOSING })
    : answer.choose(reasons.phrases.map((phrase) => ({ value: phrase, text: phrase + CLOSING })));
}
