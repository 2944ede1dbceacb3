import type { Cropper } from '../cropper/cropper.js';
import type { Metrics } from './metrics.js';
import type { SettledOptions } from './options.js';
import type { Root } from './upload/root-file.js';
import type { WorkQueue } from './queue/work-queue.js';

/** What routes work with. */
export interface ServerContext {
  readonly cropper: Cropper;
  readonly options: SettledOptions;
  readonly queue: WorkQueue;
  readonly metrics: Metrics;
  readonly root: Root | undefined;
}
