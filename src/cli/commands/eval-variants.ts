import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import { defined } from '../../base/defined.js';
import { inspectGguf, readGguf } from '../../../gguf/index.js';
import { openCropper } from '../../cropper/cropper.js';
import { FramewrightError } from '../../base/errors.js';
import type { DatasetKind } from '../../eval/datasets/types.js';
import type { Method } from '../../eval/methods/types.js';
import { vlmMethods } from '../../eval/methods/vlm.js';
import { openRemoteCropper } from '../../fleet/ask/remote-cropper.js';
import { TASK_OF_KIND } from '../../eval/prediction.js';
import {
  planVariants,
  STAGES_OF_TASK,
  SWEPT_NUMBERS,
  type AdapterSet,
  type Sweep,
  type SweptModel,
  type SweptNumber,
  type VariantGroup,
} from '../../eval/variants.js';
import { requireRunnable } from '../../model/load.js';
import { imageTokensOf } from '../../model/image-tokens.js';
import { resolveModel, useIn } from '../../model/resolve.js';
import { STAGES, type Stage } from '../../base/stages.js';
import { dispensableStages, requireDispensable } from '../../vlm/prompt/dispensable.js';
import { loadPromptProfile } from '../../vlm/prompt/profile.js';
import type { PromptProfile } from '../../vlm/prompt/prompt-profile.js';
import { collect, cropperOptionsOf, parseLora, parseWhole, type ModelFlags } from '../options.js';
import { say } from '../terminal/visible.js';
import { warnGivenUp, warnUntrained } from '../terminal/warnings.js';

/** What to vary of the model under evaluation. */
export interface VariantFlags {
  readonly candidates: number;
  readonly votes: number;
  /** `all` stands for those the data set's task has. */
  readonly ablate: 'all' | readonly Stage[];
  readonly adapters: readonly AdapterSet[];
  readonly sweep: readonly AskedSweep[];
}

type AskedSweep =
  | { readonly parameter: SweptNumber; readonly values: readonly number[] }
  | { readonly parameter: 'model'; readonly models: readonly string[] };

/** The settings `--sweep` knows. */
export const SWEPT = [...SWEPT_NUMBERS, 'model'] as const;

const PARSE_VALUE: Readonly<Record<SweptNumber, (text: string) => number>> = {
  candidates: parseWhole('candidates', 1, 20),
  votes: parseWhole('votes', 1, 20),
  'image-tokens': parseWhole('image-tokens', 1, 16_384),
  'adapter-scale': parseScale,
};

/** The variants the flags ask for, what is loaded first being the model itself; none where it is not among the engines. */
export async function variantGroups(
  kind: DatasetKind,
  engines: readonly string[],
  flags: ModelFlags & VariantFlags,
): Promise<[VariantGroup, ...VariantGroup[]]> {
  const { model, mmproj, lora, candidates, votes, ablate, adapters, sweep } = flags;
  const isVaried = ablate.length > 0 || adapters.length > 0 || sweep.length > 0;
  if (!engines.includes('vlm')) {
    if (isVaried) throw usage('--ablate, --adapters and --sweep are about the engine vlm; add it to --engine');
    return [{ model, loras: lora, variants: [] }];
  }
  if (adapters.length > 0 && lora.length > 0) {
    throw usage('--adapters names every set of adapters; leave out --lora');
  }
  const [first = { name: 'vlm', loras: lora }, ...others] = adapters;
  const names = [first, ...others].map(({ name }) => name);
  const taken = names.find((name, i) => names.indexOf(name) !== i || (name !== 'vlm' && engines.includes(name)));
  if (taken !== undefined) throw usage(`two methods would be called ${taken}; give the set of adapters another name`);
  const resolved = await resolveModel({ model, ...defined({ mmproj }) });
  const { family } = await requireRunnable(resolved);
  const groups = planVariants({
    kind,
    model,
    candidates,
    votes,
    imageTokens: imageTokensOf(useIn(resolved, family), family),
    adapters: [first, ...others],
    stages: stagesToTake(ablate, kind, await loadPromptProfile(resolved.use.promptProfile), sweep),
    sweeps: await Promise.all(sweep.map((asked) => withSizes(asked, mmproj))),
  });
  return groups as [VariantGroup, ...VariantGroup[]];
}

/** Loads what a group's variants need. They are closed with it. */
export async function openGroup(
  { model, loras, imageTokens, variants }: VariantGroup,
  flags: ModelFlags & { readonly jobs: number; readonly queue?: string },
  signal: AbortSignal,
  { isFirst = false }: { readonly isFirst?: boolean } = {},
): Promise<Method[]> {
  const { queue } = flags;
  if (queue !== undefined)
    return remoteGroup(queue, { model, loras, variants, ...defined({ imageTokens }) }, flags, signal);
  const cropper = await openCropper({
    ...cropperOptionsOf({ ...flags, model, lora: loras }),
    ...defined({ imageTokens }),
    parallel: variants.length > 1 ? 2 * flags.jobs : flags.jobs,
    signal,
  });
  try {
    if (isFirst) warnUntrained(cropper);
    warnGivenUp(cropper);
    const { maxPixels = 0, cellPx = 1 } = cropper.model?.pixelBudget ?? {};
    if (imageTokens !== undefined && maxPixels < imageTokens * cellPx ** 2) {
      throw new FramewrightError(
        'MODEL_LOAD',
        `there is no memory for ${imageTokens} image tokens; leave them out of --sweep, or see what --no-plan does`,
      );
    }
    return await vlmMethods(cropper, variants, { ownsCropper: true });
  } catch (error) {
    await cropper.dispose();
    throw error;
  }
}

/** The same of the model that workers of a queue have. */
async function remoteGroup(
  queue: string,
  { model, loras, imageTokens, variants }: VariantGroup,
  { mmproj }: ModelFlags,
  signal: AbortSignal,
): Promise<Method[]> {
  const choice = { model, loras, ...defined({ imageTokens, mmproj }) };
  const cropper = await openRemoteCropper({
    queue,
    cropper: choice,
    signal,
    onAlone: (why) => say(`framewright: ${why}\n`),
  });
  warnUntrained(cropper);
  return vlmMethods(cropper, variants, { ownsCropper: true });
}

/** @throws FramewrightError USAGE for a stage or a sweep that the model's answers have no part for */
function stagesToTake(
  ablate: VariantFlags['ablate'],
  kind: DatasetKind,
  profile: PromptProfile,
  sweeps: readonly AskedSweep[],
): readonly Stage[] {
  const able = dispensableStages(profile);
  const isVaried = sweeps.some(({ parameter }) => parameter === 'votes' || parameter === 'candidates');
  if (profile.oneBox && isVaried)
    throw usage(
      `a model with the prompt profile ${profile.name} answers with one box: there are no candidates or votes to sweep`,
    );
  if (ablate !== 'all') {
    requireDispensable(profile, ablate);
    return ablate;
  }
  const stages: readonly Stage[] = STAGES_OF_TASK[TASK_OF_KIND[kind]];
  const taken = stages.filter((stage) => able.includes(stage));
  if (stages.length > 0 && taken.length === 0) requireDispensable(profile, stages);
  return taken;
}

async function withSizes(asked: AskedSweep, mmproj: string | undefined): Promise<Sweep> {
  if (asked.parameter !== 'model') return asked;
  const models = asked.models.map(async (model): Promise<SweptModel> => {
    const { textPath } = await resolveModel({ model, ...defined({ mmproj }) });
    const { nParams, tensorBytes } = inspectGguf(await readGguf(textPath));
    const bitsPerWeight = Math.round((800 * tensorBytes) / nParams) / 100;
    return { model, label: path.basename(model, '.gguf'), bitsPerWeight };
  });
  return { parameter: 'model', models: await Promise.all(models) };
}

export function parseStages(text: string): 'all' | readonly Stage[] {
  if (text === 'all') return text;
  return text.split(',').map((part) => {
    const stage = STAGES.find((name) => name === part.trim());
    if (stage) return stage;
    throw new InvalidArgumentError(`It is all, or a list of ${STAGES.join(', ')}.`);
  });
}

export const collectSets = collect(parseSet);
export const collectSweeps = collect(parseSweep);

/** `dpo=sft.gguf,dpo.gguf:0.5`; `base=` for none. */
function parseSet(text: string): AdapterSet {
  const { name, values } = parseAssignment(text);
  return { name, loras: values.map(parseLora) };
}

/** `candidates=1,3,5`, `model=a.gguf,b.gguf`. */
function parseSweep(text: string): AskedSweep {
  const { name, values } = parseAssignment(text);
  if (values.length === 0) throw new InvalidArgumentError('It names no value.');
  if (new Set(values).size < values.length) throw new InvalidArgumentError('It names a value twice.');
  if (name === 'model') return { parameter: name, models: values };
  const parameter = SWEPT_NUMBERS.find((known) => known === name);
  if (!parameter) throw new InvalidArgumentError(`It is one of ${SWEPT.join(', ')}, = and values.`);
  return { parameter, values: values.map(PARSE_VALUE[parameter]) };
}

function parseAssignment(text: string): { name: string; values: string[] } {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is name=value,value.');
  const values = text.slice(at + 1).split(',');
  return {
    name: text.slice(0, at).trim(),
    values: values.map((value) => value.trim()).filter((value) => value !== ''),
  };
}

function parseScale(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('A scale is a number.');
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
