import type { SamplingOptions } from './answer/sampled-answer.js';
import type { Size } from '../base/geometry.js';
import type { PromptProfile } from './prompt/profile.js';

/** What every stage of one photo's conversation shares. */
export interface StageContext {
  readonly frame: Size;
  readonly profile: PromptProfile;
  readonly sampling: SamplingOptions;
}
