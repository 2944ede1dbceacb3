import { createHash } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { STAGES, type Stage } from '../../base/stages.js';
import { VERDICTS } from '../../base/verdicts.js';
import { isInside } from '../../files/inside.js';
import { readRegularFile } from '../../files/read-regular.js';
import { ANSWER_STYLES, type AnswerStyleName } from '../answer/style.js';
import { holdsBox, openingOf, parseAnswer, type AnswerLine } from '../one-box/answer-template.js';
import type { OneBoxForm } from '../one-box/one-box-form.js';
import type { RatioWords } from '../one-box/ratio-words.js';
import { FRONT_MATTER, reasonsSchema, type PromptProfile, type PromptStage } from './prompt-profile.js';
import { placeholdersOf } from './template.js';

/** Longer than any prompt a model was trained on. */
const MAX_PROMPT_BYTES = 64 * 1024;
const MAX_PROFILE_BYTES = 1024 ** 2;
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
type OwnProfile = z.infer<typeof ownProfileSchema>;

const STAGE_LISTS: readonly (readonly Stage[])[] = [
  ['decision'],
  ['analysis', 'decision'],
  ['analysis', 'enhancement', 'decision'],
  STAGES,
];

type PromptName = keyof OwnProfile['prompts'];
const PROMPT_OF: Readonly<Record<PromptName, PromptStage>> = {
  system: 'system',
  analysis: 'analyse',
  proposal: 'propose',
  decision: 'decide',
};

const ALWAYS = ['width', 'height', 'pixels', 'thousand'];
const WISHES = ['aspect', 'ratio', 'keep', 'instruct', 'drawn'];

/** What a prompt may ask for, and what it must. */
interface Placeholders {
  readonly given: readonly string[];
  readonly needed: readonly string[];
}

/**
 * Reads a model's own profile and its prompts, all of which anybody may have put there.
 *
 * @throws FramewrightError MODEL_INVALID that names the file and the place in it
 */
export async function loadOwnProfile(file: string): Promise<PromptProfile> {
  const profile = await readProfile(file);
  const isOneBox = !profile.stages.includes('proposal');
  const oneBox = isOneBox ? oneBoxForm(file, profile) : undefined;
  if (!isOneBox && profile.answer) throw wrong(file, 'answer', 'is for one box; with a proposal there are candidates');
  const texts = await readPrompts(file, profile);
  const hash = createHash('sha256')
    .update(JSON.stringify([profile, texts]))
    .digest('hex');
  const asked = isOneBox ? texts.decide : texts.propose;
  return {
    name: profile.name,
    version: `${profile.name}/own+${hash.slice(0, 8)}`,
    templates: texts,
    stages: profile.stages,
    style: ANSWER_STYLES[profile.style],
    reasons: profile.reasons,
    takesInstruction: placeholdersOf(asked).names.has('instruct'),
    ...(profile.coordinates && { coordinates: profile.coordinates }),
    ...(profile.ratios && { ratios: profile.ratios satisfies RatioWords }),
    ...(oneBox && { oneBox }),
  };
}

async function readProfile(file: string): Promise<OwnProfile> {
  let parsed: unknown;
  try {
    const text = await readUtf8(file, 'prompt profile', MAX_PROFILE_BYTES);
    if (text === undefined) throw new Error('it does not exist');
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(`cannot read the prompt profile ${file}: ${messageOf(error)}`, error);
  }
  const result = ownProfileSchema.safeParse(parsed);
  if (!result.success) {
    const { path: at, message } = result.error.issues[0]!;
    throw wrong(file, at.map(String).join('.'), message);
  }
  const { stages } = result.data;
  if (!STAGE_LISTS.some((list) => list.join() === stages.join())) {
    const lists = STAGE_LISTS.map((list) => list.join(', ')).join('; or ');
    throw wrong(file, 'stages', `${stages.join(', ')} cannot follow one another; give ${lists}`);
  }
  return result.data;
}

function oneBoxForm(file: string, { answer }: OwnProfile): OneBoxForm {
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

async function readPrompts(file: string, profile: OwnProfile): Promise<Record<PromptStage, string>> {
  const texts: Record<PromptStage, string> = { system: '', analyse: '', propose: '', decide: '' };
  for (const name of Object.keys(PROMPT_OF) as PromptName[]) {
    const named = profile.prompts[name];
    const isAsked = name === 'system' || profile.stages.includes(name);
    if (named === undefined) {
      if (isAsked && name !== 'system') throw wrong(file, `prompts.${name}`, `is missing: there is the stage ${name}`);
      continue;
    }
    if (!isAsked) throw wrong(file, `prompts.${name}`, `there is no stage ${name}: leave it out, or name the stage`);
    const prompt = path.join(path.dirname(file), named);
    const text = await readPrompt(file, `prompts.${name}`, prompt);
    checkPlaceholders(prompt, text, placeholders(name, profile));
    texts[PROMPT_OF[name]] = text;
  }
  return texts;
}

async function readPrompt(file: string, at: string, prompt: string): Promise<string> {
  const text = await readUtf8(prompt, 'prompt', MAX_PROMPT_BYTES).catch((error: unknown) => {
    throw invalid(`${messageOf(error)}; the prompt profile ${file} names it at ${at}`, error);
  });
  if (text === undefined) throw wrong(file, at, `there is no file ${prompt}`);
  const asked = text.replaceAll('\r\n', '\n').replace(FRONT_MATTER, '');
  if (asked.trim() === '') throw wrong(file, at, `the file ${prompt} is empty`);
  return asked;
}

/** Undefined where nothing is. */
async function readUtf8(file: string, what: string, maxBytes: number): Promise<string | undefined> {
  const bytes = await readRegularFile(file, { what, maxBytes });
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`the ${what} ${file} is not UTF-8`, error);
  }
}

function placeholders(name: PromptName, { stages, ratios }: OwnProfile): Placeholders {
  const isOneBox = !stages.includes('proposal');
  switch (name) {
    case 'system':
      return { given: ALWAYS, needed: [] };
    case 'analysis':
      return { given: [...ALWAYS, 'maxElements'], needed: [] };
    case 'proposal':
      return { given: [...ALWAYS, ...WISHES, 'count'], needed: ['count', ...(ratios ? ['ratio'] : [])] };
    case 'decision':
      return isOneBox
        ? { given: [...ALWAYS, ...WISHES], needed: ratios ? ['ratio'] : [] }
        : { given: [...ALWAYS, 'candidates'], needed: ['candidates'] };
  }
}

function checkPlaceholders(prompt: string, text: string, { given, needed }: Placeholders): void {
  const { names, stray } = placeholdersOf(text);
  if (stray !== undefined)
    throw invalid(`the prompt ${prompt} has braces that are no placeholder, or a section that is not closed: ${stray}`);
  const unknown = [...names].find((name) => !given.includes(name));
  if (unknown !== undefined)
    throw invalid(`the prompt ${prompt} asks for {{${unknown}}}, which is not given; ${given.join(', ')} are`);
  const missing = needed.find((name) => !names.has(name));
  if (missing !== undefined) throw invalid(`the prompt ${prompt} has no place for {{${missing}}}`);
}

function wrong(file: string, at: string, what: string): FramewrightError {
  return invalid(`the prompt profile ${file} is wrong${at === '' ? '' : ` at ${at}`}: ${what}`);
}

function invalid(message: string, cause?: unknown): FramewrightError {
  return new FramewrightError('MODEL_INVALID', message, cause === undefined ? {} : { cause });
}
