import { checkOptions } from '../base/options-check.js';
import type { CroppedPhoto } from '../crop/pipeline.js';
import type { PhotoInput } from '../photo/input-kinds.js';
import { PHOTO_TASK } from './option-kinds.js';
import type { PhotoTask } from './options.js';

/** What is to be done with one photo of a batch. */
export interface PhotoJob {
  readonly input: PhotoInput;
  readonly crops: () => Promise<CroppedPhoto>;
}

export type Inputs = Iterable<PhotoInput | PhotoTask> | AsyncIterable<PhotoInput | PhotoTask>;

/** Each photo for itself, as soon as it comes. */
export async function* eachAlone(
  inputs: Inputs,
  crop: (task: PhotoTask) => Promise<CroppedPhoto>,
): AsyncGenerator<PhotoJob, void, undefined> {
  for await (const each of inputs) {
    const task = taskOf(each);
    yield {
      input: task.input,
      crops: async () => {
        checkTask(task);
        return crop(task);
      },
    };
  }
}

export function taskOf(each: PhotoInput | PhotoTask): PhotoTask {
  // From callers without types anything may come; what is no photo is that photo's error.
  const given = each as PhotoInput | PhotoTask | null;
  return typeof given === 'object' && given !== null && 'input' in given ? given : { input: each as PhotoInput };
}

/** @throws FramewrightError USAGE for what is no wish of one photo */
export function checkTask(task: PhotoTask): void {
  checkOptions('a photo of cropEach', task, PHOTO_TASK);
}
