import type { Combine } from '../base/intervals.js';

/** One figure, made of the sums over the photos of the columns of `scorePhoto` (measures.ts). */
export interface Measure {
  readonly id: string;
  readonly label: string;
  /** Figures of one group share a chart. */
  readonly group: string;
  readonly better: 'higher' | 'lower';
  readonly combine: Combine;
}
