import { messageOf } from '../../../base/errors.js';
import { VERDICTS } from '../../../base/verdicts.js';
import { holdsBox, openingOf, parseAnswer, type AnswerLine } from '../../one-box/answer-template.js';
import type { OneBoxForm } from '../../one-box/one-box-form.js';
import { wrong } from './errors.js';
import type { OwnProfile } from './profile-schema.js';

/** The answer of a profile without a proposal. @throws FramewrightError MODEL_INVALID for one that cannot be */
export function oneBoxForm(file: string, { answer }: OwnProfile): OneBoxForm {
  if ((answer?.box === undefined) === (answer?.verdicts === undefined)) {
    const what = answer ? 'give either a box or verdicts' : 'is missing: without a proposal the model answers one box';
    throw wrong(file, 'answer', what);
  }
  const given =
    answer!.box === undefined
      ? Object.entries(answer!.verdicts!).map(([verdict, text]) => ({
          verdict,
          text,
          at: `answer.verdicts.${verdict}`,
        }))
      : [{ verdict: undefined, text: answer!.box, at: 'answer.box' }];
  const lines = given.map(({ verdict, text, at }): AnswerLine & { readonly at: string } => {
    try {
      const known = VERDICTS.find((name) => name === verdict);
      const parts = parseAnswer(text);
      if (!holdsBox(parts) && (known === undefined || known === 'refine')) throw new Error('{{x1}} is missing');
      return { parts, at, ...(known && { verdict: known }) };
    } catch (error) {
      throw wrong(file, at, messageOf(error));
    }
  });
  if (lines.length === 0) throw wrong(file, 'answer.verdicts', 'there must be one at least');
  for (const [i, { at, parts }] of lines.entries()) {
    const opening = openingOf(parts);
    const other = lines.find((line, j) => i !== j && openingOf(line.parts).startsWith(opening));
    if (other) throw wrong(file, at, `cannot be told from ${other.at}: that begins with it up to the first number`);
  }
  const [first, ...others] = lines.map(({ at: _, ...line }) => line);
  return { lines: [first!, ...others], reasonTokens: answer!.reasonTokens };
}
