import type { Reasons } from './reasons.js';

/**
 * How a profile's answers are spelled and read. Their structure is the same for all, one JSON object a line; what differs is
 * what a model finds familiar.
 */
export interface AnswerStyle {
  /** After a comma or a colon. */
  readonly gap: '' | ' ';
  /** Keys of an element's kind and of its shape. */
  readonly kind: string;
  readonly box: string;
  readonly line: string;
  readonly points: string;
  readonly lines: string;
  /** Key of a candidate's reason. */
  readonly reason: string;
  /** A coordinate a little past the edge is heard as the edge; else the model is held to those that are not. */
  readonly clamps: boolean;
}

export const ANSWER_STYLES = {
  /** As few tokens as can be: for a model trained on nothing else. */
  plain: {
    gap: '',
    kind: 'type',
    box: 'box',
    line: 'line',
    points: 'points',
    lines: 'lines',
    reason: 'why',
    clamps: false,
  },
  /**
   * The keys and spaces Qwen2.5-VL and Qwen3-VL were trained to ground with (`bbox_2d`, `point_2d`, `label`), and one made
   * after them for lines, which they have no key for.
   */
  grounding: {
    gap: ' ',
    kind: 'label',
    box: 'bbox_2d',
    line: 'line_2d',
    points: 'point_2d',
    lines: 'line_2d',
    reason: 'label',
    clamps: true,
  },
} as const satisfies Readonly<Record<string, AnswerStyle>>;
export type AnswerStyleName = keyof typeof ANSWER_STYLES;

/** `name: ` as the style spells a key, its colon with it. */
export function key(name: string, { gap }: AnswerStyle): string {
  return `"${name}":${gap}`;
}

/** How a profile's answers are spelled, and what reasons they give. */
export interface AnswerForm {
  readonly style: AnswerStyle;
  readonly reasons: Reasons;
}

/** What stands between the numbers of an answer. */
export interface Marks {
  readonly comma: string;
  /** Between two points, or two lines, of a list. */
  readonly next: string;
}

export function marksOf({ gap }: AnswerStyle): Marks {
  return { comma: `,${gap}`, next: `],${gap}[` };
}

/** Numbers as the style writes a list of them, brackets included. */
export function numberList(numbers: readonly number[], style: AnswerStyle): string {
  return `[${numbers.join(marksOf(style).comma)}]`;
}
