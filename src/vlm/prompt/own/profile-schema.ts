import { z } from 'zod';
import { STAGES } from '../../../base/stages.js';
import { VERDICTS } from '../../../base/verdicts.js';
import { isInside } from '../../../files/inside.js';
import { ANSWER_STYLES, type AnswerStyleName } from '../../answer/style.js';
import { reasonsSchema } from '../prompt-profile.js';

const DEFAULT_REASON_TOKENS = 48;
const RATIO = /^[1-9]\d{0,4}(\.\d{1,4})?:[1-9]\d{0,4}(\.\d{1,4})?$/;

const promptFile = z
  .string()
  .min(1)
  .refine((name) => !name.includes('\0'), 'the name of a file has no NUL')
  .refine(isInside, 'the file must lie in the folder of the profile')
  .optional();

/** A profile of a model's own, a `.json` file that its manifest names as its `promptProfile`. */
export const ownProfileSchema = z.strictObject({
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  /** What results call the profile. */
  name: z.string().regex(/^[\w.-]{1,64}$/, 'a name has up to 64 letters, digits, ".", "-" and "_"'),
  /**
   * What the model is asked, in this order: `["decision"]`, one question and one box; `analysis`, or `analysis` and
   * `enhancement`, before it; or all four, with candidates of which the decision chooses.
   */
  stages: z.array(z.enum(STAGES)).min(1),
  /** Files beside the profile: one for each stage but the enhancement, and one with the system's words if there are any. */
  prompts: z.strictObject({
    system: promptFile,
    analysis: promptFile,
    proposal: promptFile,
    decision: promptFile,
  }),
  /** What answers count in. Default: what those of the model's family do. */
  coordinates: z.enum(['pixels', 'thousand']).optional(),
  /** How one box is answered; for all profiles without a proposal. */
  answer: z
    .strictObject({
      /** The answer with `{{x1}}`, `{{y1}}`, `{{x2}}`, `{{y2}}` for its numbers: `({{x1}},{{y1}}),({{x2}},{{y2}})`. */
      box: z.string().max(1000).optional(),
      /** In place of `box`: the answer for each verdict the model may give; that of `keep` and `reject` may go without a box. */
      verdicts: z.partialRecord(z.enum(VERDICTS), z.string().max(1000)).optional(),
      /** The longest sentence of an answer with `"{{why}}"`, in tokens. */
      reasonTokens: z.int().positive().max(1000).default(DEFAULT_REASON_TOKENS),
    })
    .optional(),
  /** How the model is told a ratio, as `{{ratio}}`. Default: its numbers, and nothing where any shape will do. */
  ratios: z
    .strictObject({
      /** What it calls each ratio it knows: `{ "1:1": "square" }`. */
      words: z.record(z.string().regex(RATIO, 'a ratio is width:height'), z.string().min(1).max(200)),
      /** What it is told of any other: the nearest it knows, or its numbers. */
      whenOther: z.enum(['nearest', 'numbers']).default('numbers'),
      /** What it is told where any shape will do: the ratio it knows that is nearest to the photo's own, or nothing. */
      whenFree: z.enum(['nearest', 'none']).default('none'),
    })
    .refine(({ words }) => Object.keys(words).length > 0, { path: ['words'], message: 'it knows no ratio' })
    .optional(),
  /** How elements and candidates are spelled. Default `grounding`. */
  style: z.enum(Object.keys(ANSWER_STYLES) as [AnswerStyleName]).default('grounding'),
  /** Reasons of candidates and decisions. Default: a sentence. */
  reasons: reasonsSchema.default({ kind: 'sentence', maxTokens: DEFAULT_REASON_TOKENS }),
});
export type OwnProfile = z.infer<typeof ownProfileSchema>;
