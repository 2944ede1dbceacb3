// What the server tells the page of one photo being thought about. Rectangles are in oriented photo pixels.
import { z } from 'zod';
import type { Condition } from '../../attention/photo-attention.js';
import type { TokenGroup } from '../../attention/token-groups.js';
import type { Box, Size } from '../../base/geometry.js';
import type { CropResult, ElementKind } from '../../base/schema.js';
import type { ThoughtStage, TokenChoice } from '../../engines/thought.js';
import type { ProblemBody } from '../../server/problem.js';

export type { Condition, ThoughtStage, TokenGroup };

/** A token's choice with the likeliest of its options only: a coordinate may have a thousand. */
export interface ToldChoice extends TokenChoice {
  /** How many there were. */
  readonly nOptions?: number;
}

const conditionSchema = z.enum(['enhanced', 'plain']);

/** GET /studio/api/think/:id */
export const thinkRequestSchema = z.strictObject({
  /** Default: any shape. */
  aspect: z.string().max(40).optional(),
  /** With the elements drawn on the second image, with the photo in its place, or one after the other. Default `enhanced`. */
  conditions: z.array(conditionSchema).min(1).max(2).optional(),
  /** Also tell what each answer attends to. */
  attention: z.boolean().optional(),
});

/** An element as SVG made of numbers alone. */
export interface DrawnElement {
  readonly kind: ElementKind;
  readonly colour: string;
  readonly guides: string;
  readonly strokes: string;
}

interface OfCondition {
  readonly condition: Condition;
}

interface OfStage extends OfCondition {
  readonly stage: ThoughtStage;
}

/** The events by name, each with its data. */
export interface ThinkEvents {
  /** Requests that are before this one. */
  waiting: { readonly waiting: number };
  stage: OfStage;
  /** A picture as the model is shown it: a lossless WebP as Base64. */
  image: OfStage & { readonly isEnhanced: boolean; readonly widthPx: number; readonly heightPx: number } & {
    readonly webp: string;
  };
  prompt: OfStage & { readonly text: string };
  token: OfStage & { readonly text: string; readonly choice?: ToldChoice };
  /** For a view box of `drawing`. */
  elements: OfCondition & { readonly elements: readonly DrawnElement[]; readonly drawing: Size };
  candidates: OfCondition & {
    readonly boxes: readonly Box[];
    /** The photo's size, where it is known before the result. */
    readonly photo?: Size;
  };
  decision: OfCondition & { readonly best: number; readonly probabilities: readonly number[] };
  result: OfCondition & { readonly result: CropResult };
  /** Of the answer of one stage. */
  attention: OfStage & {
    /** Squares across and down. */
    readonly grid: Size;
    /** `[image][layer][square]`: the share each square of the photo, and of the image shown second, gets. */
    readonly maps: readonly (readonly (readonly number[])[])[];
    /** The share of each group of tokens, their sum 1; only of the stage `propose`, which looks back on an analysis. */
    readonly shares?: Readonly<Record<TokenGroup, number>>;
    /** Mean attention a token, over that of all tokens; null without such tokens. */
    readonly lifts?: Readonly<Record<TokenGroup, number | null>>;
  };
  problem: ProblemBody;
  done: Record<string, never>;
}
