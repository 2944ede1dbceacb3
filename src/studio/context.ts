import type { ServerContext } from '../server/context.js';
import type { Audience } from './events.js';
import type { Library } from './library/library.js';
import type { Pictures } from './library/pictures.js';
import type { StudioOptions } from './options.js';
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
  readonly pictures: Pictures;
  readonly log: StudioLog;
  readonly runs: CropRuns;
  readonly saver: Saver;
  readonly audience: Audience;
  readonly summaries: Summaries;
}
