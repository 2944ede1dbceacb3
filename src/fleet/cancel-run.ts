import { connect } from './connect.js';
import { openQueue } from './queue.js';
import { RunStore } from './run/run-store.js';

const PAGE = 500;

/**
 * Calls a run off: its jobs leave the queue, workers end after the photo in hand, and whoever still puts photos in stops.
 * What is done stays, and noted; submitting it again goes on from there.
 *
 * @returns how many jobs were taken out of the queue
 * @throws FramewrightError USAGE for a run there is none of
 */
export async function cancelRun({
  queue: url,
  run,
}: {
  readonly queue: string;
  readonly run: string;
}): Promise<number> {
  await using connection = await connect(url);
  const store = new RunStore(connection.redis);
  const { madeFor } = await store.spec(run);
  await store.cancel(run);
  const queue = openQueue(connection, madeFor);
  let nRemoved = 0;
  for (let from = 0; ;) {
    const jobs = await queue.getJobs(['waiting', 'prioritized'], from, from + PAGE - 1);
    if (jobs.length === 0) return nRemoved;
    const own = jobs.filter((job) => job.data.run === run);
    for (const job of own) {
      // One that a worker has taken meanwhile ends by itself.
      await job.remove().then(
        () => nRemoved++,
        () => undefined,
      );
    }
    from += jobs.length - own.length;
  }
}
