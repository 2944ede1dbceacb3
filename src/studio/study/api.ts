// What a study's server and its pages say to each other.
import { z } from 'zod';
import { ANSWERS, type Answer } from './pairs.js';
import type { StudyResults } from './results.js';

/** GET /study/api/judges/:code: what a judge is asked. Nothing of it says which method made a crop. */
export interface JudgeAnswer {
  readonly question: string;
  /** In the judge's order. */
  readonly pairs: readonly {
    readonly id: string;
    readonly left: { readonly width: number; readonly height: number };
    readonly right: { readonly width: number; readonly height: number };
    /** What the judge has said of it. */
    readonly answer?: Answer;
  }[];
}

/** More than anybody looks at two pictures. */
const MOST_MS = 86_400_000;

/** PUT /study/api/judges/:code/pairs/:pair. The last one holds. */
export const judgementRequestSchema = z.strictObject({
  answer: z.enum(ANSWERS),
  /** From seeing the pair to the answer. */
  tookMs: z.number().min(0).max(MOST_MS),
});
export type JudgementRequest = z.infer<typeof judgementRequestSchema>;

/** GET /study/api/results: for the owner. */
export interface ResultsAnswer extends StudyResults {
  readonly title: string;
  readonly question: string;
  readonly nPairs: number;
  readonly nChecks: number;
  /** Pairs of the very same crop, which nobody is asked about. */
  readonly nSame: number;
  readonly notes: readonly string[];
  /** Of each judge, in their order. */
  readonly links: readonly string[];
}
