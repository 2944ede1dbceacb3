import { createHash } from 'node:crypto';
import { messageOf } from '../../../base/errors.js';
import { STAGES, type Stage } from '../../../base/stages.js';
import { ANSWER_STYLES } from '../../answer/style.js';
import type { PromptProfile } from '../prompt-profile.js';
import { placeholdersOf } from '../template.js';
import { oneBoxForm } from './answer-form.js';
import { invalid, wrong } from './errors.js';
import { ownProfileSchema, type OwnProfile } from './profile-schema.js';
import { readPrompts } from './prompts.js';
import { readUtf8 } from './read-utf8.js';

const MAX_PROFILE_BYTES = 1024 ** 2;

const STAGE_LISTS: readonly (readonly Stage[])[] = [
  ['decision'],
  ['analysis', 'decision'],
  ['analysis', 'enhancement', 'decision'],
  STAGES,
];

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
    ...(profile.ratios && { ratios: profile.ratios }),
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
