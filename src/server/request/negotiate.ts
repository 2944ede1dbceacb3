import { OUTPUT_FORMATS, type OutputFormat } from '../../photo/output-format.js';
import { HttpProblem } from '../problem.js';

/** What an answer is. */
export type AnswerForm =
  | { readonly kind: 'json' }
  | { readonly kind: 'events' }
  /** Of the photo's own format where there is none. */
  | { readonly kind: 'picture'; readonly format?: OutputFormat };

/** Of an answer whose only form is JSON. */
export function requireJson(accept: string | undefined): void {
  if (rangesOf(accept).some((range) => formOf(range)?.kind === 'json')) return;
  throw new HttpProblem('NOT_ACCEPTABLE', 'this is answered as application/json');
}

/**
 * The form that an Accept header likes best; JSON without one.
 * @throws HttpProblem NOT_ACCEPTABLE
 */
export function answerForm(accept: string | undefined): AnswerForm {
  for (const range of rangesOf(accept)) {
    const form = formOf(range);
    if (form) return form;
  }
  throw new HttpProblem(
    'NOT_ACCEPTABLE',
    `a crop is answered as application/json, text/event-stream, or ${OUTPUT_FORMATS.map((each) => `image/${each}`).join(', ')}`,
  );
}

function formOf(range: string): AnswerForm | undefined {
  if (['application/json', 'application/*', '*/*'].includes(range)) return { kind: 'json' };
  if (range === 'text/event-stream') return { kind: 'events' };
  if (range === 'image/*') return { kind: 'picture' };
  const format = OUTPUT_FORMATS.find((each) => range === `image/${each}`);
  return format && { kind: 'picture', format };
}

/** Media ranges, the most wanted first; of equals in their order. */
function rangesOf(accept = '*/*'): string[] {
  return accept
    .split(',')
    .map((part) => {
      const [range = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
      const weight = parameters.find((each) => each.startsWith('q='));
      return { range, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ range }) => range);
}
