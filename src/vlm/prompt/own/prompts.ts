import path from 'node:path';
import { messageOf } from '../../../base/errors.js';
import { FRONT_MATTER, type PromptStage } from '../prompt-profile.js';
import { placeholdersOf } from '../template.js';
import { invalid, wrong } from './errors.js';
import type { OwnProfile } from './profile-schema.js';
import { readUtf8 } from './read-utf8.js';

/** Longer than any prompt a model was trained on. */
const MAX_PROMPT_BYTES = 64 * 1024;

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
 * The prompts a profile names, each with what it may ask for and nothing else; empty for a stage that is not asked.
 *
 * @throws FramewrightError MODEL_INVALID
 */
export async function readPrompts(file: string, profile: OwnProfile): Promise<Record<PromptStage, string>> {
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
