import { z } from 'zod';
import type { Coordinates } from '../../base/coordinates.js';
import type { Stage } from '../../base/stages.js';
import type { AnswerForm } from '../answer/style.js';
import type { OneBoxForm } from '../one-box/one-box-form.js';
import type { RatioWords } from '../one-box/ratio-words.js';

export const PROMPT_STAGES = ['system', 'analyse', 'propose', 'decide'] as const;
export type PromptStage = (typeof PROMPT_STAGES)[number];

/** What a prompt's file may begin with. */
export const FRONT_MATTER = /^---\nversion: (\d+)\n---\n/;

/** How a model is asked and how it answers: what its manifest names, because a model is used as it was trained. */
export interface PromptProfile extends AnswerForm {
  readonly name: string;
  /** `<profile>/<version of each stage>+<first 8 hex digits of the sha256 of all of it>`: equal exactly when the prompts are. */
  readonly version: string;
  readonly templates: Readonly<Record<PromptStage, string>>;
  /** What is asked, in order. */
  readonly stages: readonly Stage[];
  /** Whether the prompt that asks for crops has a place for the owner's own words. */
  readonly takesInstruction: boolean;
  /** What answers count in, where it is not what those of the model's family do. */
  readonly coordinates?: Coordinates;
  /** How a ratio is told. Default: in its numbers. */
  readonly ratios?: RatioWords;
  /** The answer of a model that says one box and proposes no candidates. */
  readonly oneBox?: OneBoxForm;
}

export const reasonsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sentence'), maxTokens: z.int().positive() }),
  z.object({ kind: z.literal('phrase'), phrases: z.array(z.string().min(1)).min(1) }),
]);
