import type { Verdict } from '../../base/verdicts.js';

export const CORNERS = ['x1', 'y1', 'x2', 'y2'] as const;
export type Corner = (typeof CORNERS)[number];

/** A run of an answer: text the form dictates, a coordinate, or a sentence in the model's own words. */
export type AnswerPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly corner: Corner }
  | { readonly kind: 'why' };

/** One way to answer. Without a verdict it is the only one. */
export interface AnswerLine {
  readonly verdict?: Verdict;
  readonly parts: readonly AnswerPart[];
}

const PLACEHOLDER = /\{\{(\w*)\}\}/g;

/** Splits `({{x1}},{{y1}}),({{x2}},{{y2}})` at its placeholders. @throws Error that says why it cannot be an answer */
export function parseAnswer(template: string): AnswerPart[] {
  const parts: AnswerPart[] = [];
  let at = 0;
  const text = (until: number): void => {
    if (until > at) parts.push({ kind: 'text', text: template.slice(at, until) });
  };
  for (const { 0: whole, 1: name, index } of template.matchAll(PLACEHOLDER)) {
    text(index);
    at = index + whole.length;
    parts.push(placeholder(name!));
  }
  text(template.length);
  check(parts);
  return parts;
}

export function holdsBox(parts: readonly AnswerPart[]): boolean {
  return parts.some(({ kind }) => kind === 'number');
}

/** What an answer is told from others by: its text up to the first placeholder. */
export function openingOf(parts: readonly AnswerPart[]): string {
  const [first] = parts;
  return first?.kind === 'text' ? first.text : '';
}

function placeholder(name: string): AnswerPart {
  if (name === 'why') return { kind: 'why' };
  const corner = CORNERS.find((known) => known === name);
  if (corner) return { kind: 'number', corner };
  throw new Error(`{{${name}}} is nothing an answer can say; {{${CORNERS.join('}}, {{')}}} and {{why}} are`);
}

function check(parts: readonly AnswerPart[]): void {
  const said = parts.flatMap((part) => (part.kind === 'number' ? [part.corner] : []));
  if (said.length > 0) {
    const missing = CORNERS.find((corner) => !said.includes(corner));
    if (missing) throw new Error(`{{${missing}}} is missing`);
    const twice = CORNERS.find((corner) => said.indexOf(corner) !== said.lastIndexOf(corner));
    if (twice) throw new Error(`{{${twice}}} is asked for twice`);
    for (const axis of ['x', 'y'] as const) {
      if (said.indexOf(`${axis}1`) > said.indexOf(`${axis}2`))
        throw new Error(`{{${axis}1}} must come before {{${axis}2}}`);
    }
  }
  if (parts.filter(({ kind }) => kind === 'why').length > 1) throw new Error('{{why}} is asked for twice');
  parts.forEach((part, i) => {
    const next = parts[i + 1];
    if (part.kind === 'number' && (next?.kind === 'number' || next?.kind === 'why'))
      throw new Error(`nothing stands after {{${part.corner}}} to end the number`);
    if (part.kind === 'number' && next?.kind === 'text' && /^[\d.]/.test(next.text))
      throw new Error(`what follows {{${part.corner}}} would be read as more of the number`);
    if (part.kind === 'why' && !(next?.kind === 'text' && next.text.startsWith('"')))
      throw new Error('{{why}} must end in a quotation mark: "{{why}}"');
  });
}
