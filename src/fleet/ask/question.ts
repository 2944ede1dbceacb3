import type { CropRect, CropResult, Element } from '../../base/schema.js';
import type { Stage } from '../../base/stages.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { HeldCropOptions, ModelAtWork } from '../../cropper/options.js';
import type { RuntimeInfo } from '../../runtime/types.js';

/** What a worker may be asked of its model, where nothing is to be written. Photos by their paths, the same on all machines. */
export type Question =
  | { readonly ask: 'model' }
  | { readonly ask: 'crop'; readonly photo: string; readonly wishes: Omit<HeldCropOptions, 'signal'> }
  | {
      readonly ask: 'rank';
      readonly photo: string;
      readonly rectangles: readonly CropRect[];
      readonly without: readonly Stage[];
    }
  | { readonly ask: 'analyse'; readonly photo: string };

/** By what was asked. */
export interface Answers {
  readonly model: { readonly model: ModelAtWork | undefined; readonly runtimeInfo: RuntimeInfo | undefined };
  readonly crop: CropResult;
  readonly rank: readonly number[];
  readonly analyse: readonly Element[];
}
export type Answer = Answers[keyof Answers];

export async function answerTo(question: Question, cropper: Cropper): Promise<Answer> {
  if (question.ask === 'model') return { model: cropper.model, runtimeInfo: cropper.runtimeInfo };
  await using held = await cropper.hold(question.photo);
  switch (question.ask) {
    case 'crop':
      return await held.crop(question.wishes);
    case 'rank':
      return await held.rank(question.rectangles, { without: question.without });
    case 'analyse':
      return await held.analyse();
  }
}
