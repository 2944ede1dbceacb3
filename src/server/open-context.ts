import { needPackages } from '../files/optional-packages.js';
import type { ServerContext } from './context.js';
import { Metrics } from './metrics.js';
import { settleOptions, type ServerOptions } from './options.js';
import { WorkQueue } from './queue/work-queue.js';
import { openRoot } from './upload/root-file.js';

/** Uploads held in memory together, in largest ones. */
const UPLOADS_HELD = 4;

/**
 * What a server works with, by its options.
 *
 * @throws FramewrightError USAGE; PACKAGE_NOT_FOUND, before anything is opened
 */
export async function openContext(options: ServerOptions): Promise<ServerContext> {
  const settled = settleOptions(options);
  needPackages('server', 'a server');
  const { cropper, atOnce, queue: waiting, maxBytes } = settled;
  return {
    cropper,
    options: settled,
    queue: new WorkQueue({ atOnce, waiting, uploadBytes: UPLOADS_HELD * maxBytes }),
    metrics: new Metrics(),
    root: settled.root === undefined ? undefined : await openRoot(settled.root),
  };
}
