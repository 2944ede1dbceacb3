import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ANSWER_STYLES, type AnswerForm, type AnswerStyleName } from '../answer/style.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { packageFile } from '../../files/package-root.js';

const STAGES = ['system', 'analyse', 'propose', 'decide'] as const;
export type PromptStage = (typeof STAGES)[number];

/** The prompts of one profile: what a model's manifest names, because a model is used with the prompts it was trained on. */
export interface PromptProfile extends AnswerForm {
  readonly name: string;
  /** `<profile>/<version of each stage>+<first 8 hex digits of the sha256 of all of it>`: equal exactly when the prompts are. */
  readonly version: string;
  readonly templates: Readonly<Record<PromptStage, string>>;
  /** Whether the proposal prompt has a place for the owner's own words. */
  readonly takesInstruction: boolean;
}

const profilesSchema = z.record(
  z.string(),
  z.object({
    /** Default `plain`. */
    style: z.enum(Object.keys(ANSWER_STYLES) as [AnswerStyleName]).optional(),
    reasons: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('sentence'), maxTokens: z.int().positive() }),
      z.object({ kind: z.literal('phrase'), phrases: z.array(z.string().min(1)).min(1) }),
    ]),
  }),
);

const FRONT_MATTER = /^---\nversion: (\d+)\n---\n/;

export async function loadPromptProfile(name: string): Promise<PromptProfile> {
  const profiles = profilesSchema.parse(JSON.parse(await readFile(packageFile('prompts', 'profiles.json'), 'utf8')));
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (!profile) {
    const known = Object.keys(profiles).join(', ');
    throw new FramewrightError(
      'MODEL_INVALID',
      `the model asks for the prompt profile "${name}"; this version has ${known}`,
    );
  }
  const stages = await Promise.all(STAGES.map((stage) => loadStage(name, stage)));
  const hash = createHash('sha256').update(JSON.stringify([profile, stages.map(({ template }) => template)]));
  return {
    name,
    version: `${name}/${stages.map(({ version }) => version).join('.')}+${hash.digest('hex').slice(0, 8)}`,
    templates: Object.fromEntries(STAGES.map((stage, i) => [stage, stages[i]!.template])) as Record<
      PromptStage,
      string
    >,
    reasons: profile.reasons,
    style: ANSWER_STYLES[profile.style ?? 'plain'],
    takesInstruction: stages[STAGES.indexOf('propose')]!.template.includes('{{#instruct}}'),
  };
}

async function loadStage(profile: string, stage: PromptStage): Promise<{ version: string; template: string }> {
  const file = packageFile('prompts', profile, `${stage}.md`);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new FramewrightError(
      'INTERNAL',
      `cannot read the prompt ${file}: ${messageOf(error)}; install the package again`,
      {
        cause: error,
      },
    );
  }
  const front = FRONT_MATTER.exec(text);
  if (!front) throw new FramewrightError('INTERNAL', `the prompt ${file} does not begin with its version`);
  return { version: front[1]!, template: text.slice(front[0].length) };
}
