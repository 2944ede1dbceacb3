import type { Coordinates } from '../base/coordinates.js';
import { coordinateSpace } from '../base/coordinates.js';
import type { Size } from '../base/geometry.js';
import type { AnswerOptions } from './answer/sampled-answer.js';
import type { PromptProfile } from './prompt/prompt-profile.js';
import type { TemplateValues } from './prompt/template.js';

/** What every stage of one photo's conversation shares. */
export interface StageContext {
  /** The image that is seen. */
  readonly frame: Size;
  /** What answers count in. */
  readonly coordinates: Coordinates;
  readonly profile: PromptProfile;
  readonly sampling: AnswerOptions;
}

/** How far the numbers of answers reach. */
export function spaceOf({ coordinates, frame }: StageContext): Size {
  return coordinateSpace(coordinates, frame);
}

/** What any prompt may ask for: the image's size, and which kind of coordinates is meant. */
export function frameValues({ coordinates, frame: { width, height } }: StageContext): TemplateValues {
  return {
    width,
    height,
    pixels: coordinates === 'pixels' ? 'yes' : undefined,
    thousand: coordinates === 'thousand' ? 'yes' : undefined,
  };
}
