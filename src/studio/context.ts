import type { ServerContext } from '../server/context.js';
import type { Audience } from './events.js';
import type { Library } from './library/library.js';
import type { StudioOptions } from './options.js';
import type { ScreenPictures } from './screen-pictures.js';
import type { Saver } from './save/save-crops.js';
import type { StudioLog } from './state/studio-log.js';
import type { Summaries } from './summaries.js';
import type { CropRuns } from './runs/crop-runs.js';

/** What the studio's routes work with. */
export interface Studio {
  readonly server: ServerContext;
  readonly options: StudioOptions;
  /** Absolute. */
  readonly output: string;
  readonly library: Library;
  readonly pictures: ScreenPictures;
  readonly log: StudioLog;
  readonly runs: CropRuns;
  readonly saver: Saver;
  readonly audience: Audience;
  readonly summaries: Summaries;
}
