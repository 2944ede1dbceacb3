import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ANSWER_STYLES, type AnswerStyleName } from '../answer/style.js';
import { STAGES } from '../../base/stages.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { packageFile } from '../../files/package-root.js';
import { isProfileFile } from '../../model/manifest.js';
import { loadOwnProfile } from './own-profile.js';
import { FRONT_MATTER, PROMPT_STAGES, reasonsSchema, type PromptProfile, type PromptStage } from './prompt-profile.js';

const profilesSchema = z.record(
  z.string(),
  z.object({
    /** Default `plain`. */
    style: z.enum(Object.keys(ANSWER_STYLES) as [AnswerStyleName]).optional(),
    reasons: reasonsSchema,
  }),
);

/**
 * @param name of a profile of the package, or the path of a model's own, which ends in `.json`
 * @throws FramewrightError MODEL_INVALID
 */
export async function loadPromptProfile(name: string): Promise<PromptProfile> {
  if (isProfileFile(name)) return loadOwnProfile(name);
  const profiles = profilesSchema.parse(JSON.parse(await readFile(packageFile('prompts', 'profiles.json'), 'utf8')));
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (!profile) {
    const known = Object.keys(profiles).join(', ');
    throw new FramewrightError(
      'MODEL_INVALID',
      `the model asks for the prompt profile "${name}"; this version has ${known}, and a model's own is a .json file`,
    );
  }
  const stages = await Promise.all(PROMPT_STAGES.map((stage) => loadStage(name, stage)));
  const hash = createHash('sha256').update(JSON.stringify([profile, stages.map(({ template }) => template)]));
  return {
    name,
    version: `${name}/${stages.map(({ version }) => version).join('.')}+${hash.digest('hex').slice(0, 8)}`,
    templates: Object.fromEntries(PROMPT_STAGES.map((stage, i) => [stage, stages[i]!.template])) as Record<
      PromptStage,
      string
    >,
    stages: STAGES,
    reasons: profile.reasons,
    style: ANSWER_STYLES[profile.style ?? 'plain'],
    takesInstruction: stages[PROMPT_STAGES.indexOf('propose')]!.template.includes('{{#instruct}}'),
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
