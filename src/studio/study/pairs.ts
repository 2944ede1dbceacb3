import { createHash } from 'node:crypto';
import type { Box, Size } from '../../base/geometry.js';

/** A method's crop. */
export interface MethodCrop {
  readonly method: string;
  readonly box: Box;
}

/** Two crops of a photo that are judged against each other. */
export interface Pair {
  /** Says nothing of the methods, and is the same as long as the crops are, whatever the study's order is. */
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  /** As the study calls it. */
  readonly name: string;
  readonly size: Size;
  /** What the crops were made for: `free`, a ratio as `4:5`, a size as `1080x1350`; `check` for an attention check. */
  readonly target: string;
  /** Of the method that the study names first; of an attention check the better crop. */
  readonly a: MethodCrop;
  readonly b: MethodCrop;
}

export function makePair(pair: Omit<Pair, 'id'>): Pair {
  const { name, target, a, b } = pair;
  const crops = [a, b].map(({ method, box }) => [method, ...box].join(' ')).sort();
  const whole = JSON.stringify([name, target, ...crops]);
  return { id: createHash('sha256').update(whole).digest('hex').slice(0, 16), ...pair };
}

/** What a judge says: the crop they prefer, or that neither is better. */
export const ANSWERS = ['left', 'right', 'tie'] as const;
export type Answer = (typeof ANSWERS)[number];

/** The same without sides. */
export type Preference = 'a' | 'b' | 'tie';

export function preferenceOf(answer: Answer, isALeft: boolean): Preference {
  if (answer === 'tie') return 'tie';
  return (answer === 'left') === isALeft ? 'a' : 'b';
}
