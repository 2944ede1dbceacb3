import type { SamplingOptions } from '../engines/engine.js';
import type { Size } from '../base/geometry.js';
import type { PromptProfile } from './prompt/profile.js';

/** What every stage of one photo's conversation shares. */
export interface StageContext {
  readonly frame: Size;
  readonly profile: PromptProfile;
  readonly sampling: SamplingOptions;
}
