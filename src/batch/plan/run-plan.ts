import type { PhotoWishes } from '../../cropper/options.js';
import type { EarlierRuns } from '../journal/journal-file.js';
import type { StdinPhoto } from '../options.js';
import type { Overview } from '../summaries/overviews.js';
import type { ReviewList } from '../summaries/review-list.js';
import type { PlannedPhoto } from './planned-photo.js';

/** What a run is going to do. All that can be refused without a model and without its journal's lock has been. */
export interface RunPlan {
  readonly photos: readonly PlannedPhoto[];
  /** What is wished of a photo alone, in place of what is wished of all. */
  readonly wishesOf: (planned: PlannedPhoto) => PhotoWishes;
  /** Where `-` is one of the photos. */
  readonly stdin?: StdinPhoto;
  /** What its journal holds, where it is to note what is done. */
  readonly earlier?: EarlierRuns;
  readonly overviews: readonly Overview[];
  /** Where crops left for review are listed. */
  readonly review?: ReviewList;
}
