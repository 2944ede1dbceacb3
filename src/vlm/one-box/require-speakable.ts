import { FramewrightError } from '../../base/errors.js';
import type { Tokenizer } from '../answer/writer.js';
import type { PromptProfile } from '../prompt/prompt-profile.js';
import type { AnswerPart } from './answer-template.js';

const NUMBERS = [0, 45, 806, 1000];
const SENTENCE = 'It is calmer so.';

/**
 * An answer is put together from pieces that are tokenized apart. Where a model's own answer form is cut so that its
 * tokenizer makes other tokens of the whole, the model would be shown what it was never trained on.
 *
 * @throws FramewrightError MODEL_INVALID
 */
export function requireSpeakable({ name, oneBox }: PromptProfile, tokenizer: Tokenizer): void {
  for (const { parts } of oneBox?.lines ?? []) {
    for (const number of NUMBERS) {
      const pieces = piecesOf(parts, number);
      const whole = pieces.join('');
      const apart = pieces.flatMap((piece) => [...tokenizer.tokenize(piece)]);
      if (apart.join() === tokenizer.tokenize(whole).join()) continue;
      throw new FramewrightError(
        'MODEL_INVALID',
        `the prompt profile ${name} has an answer the model's tokenizer does not cut at its placeholders: ${whole}; ` +
          'let punctuation stand around them',
      );
    }
  }
}

/** Text after a sentence is written with it. */
function piecesOf(parts: readonly AnswerPart[], number: number): string[] {
  const pieces: string[] = [];
  parts.forEach((part, i) => {
    if (part.kind === 'number') pieces.push(String(number));
    else if (part.kind === 'why') pieces.push(SENTENCE);
    else if (parts[i - 1]?.kind === 'why') pieces.push(pieces.pop()! + part.text);
    else pieces.push(part.text);
  });
  return pieces;
}
