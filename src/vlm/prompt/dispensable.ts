import { FramewrightError } from '../../base/errors.js';
import type { Stage } from '../../base/stages.js';
import type { PromptProfile } from './prompt-profile.js';

/** Stages a model can be asked without, as ablations do; of one that answers with one box not the answer. */
export function dispensableStages({ stages, oneBox }: PromptProfile): readonly Stage[] {
  return stages.filter((stage) => !oneBox || stage !== 'decision');
}

/** @throws FramewrightError USAGE for a stage the model has not, or cannot answer without */
export function requireDispensable(profile: PromptProfile, without: readonly Stage[]): void {
  const able = dispensableStages(profile);
  const unable = without.find((stage) => !able.includes(stage));
  if (unable === undefined) return;
  const { name, stages, oneBox } = profile;
  const has = stages.includes(unable) ? `the stage ${unable} is its answer` : `there is no stage ${unable}`;
  throw new FramewrightError(
    'USAGE',
    `${has}, to do without: a model with the prompt profile ${name} ${oneBox ? 'answers with one box, and ' : ''}is asked for ` +
      `${stages.join(', ')}; it can do without ${able.length > 0 ? able.join(' or ') : 'none'}`,
  );
}
