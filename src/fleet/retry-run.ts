import { keyOfSettings } from '../batch/journal/settings-key.js';
import { connect } from './connect.js';
import { addMergeJob } from './merge-job.js';
import { ID_DIGITS, jobId, jobOptions, openQueue, PRIORITIES } from './queue.js';
import { RunStore } from './run/run-store.js';
import { submitterBeat } from './run/submitter-beat.js';

export interface RetryOptions {
  readonly queue: string;
  readonly run: string;
  /** Only photos that failed with these codes. Default: all that failed. */
  readonly codes?: readonly string[];
}

/** Photos a job: fewer than at first, for what fails may take long. */
const JOB_SIZE = 8;

/**
 * Puts the photos of a run that failed or were set aside into the queue once more.
 *
 * @returns how many these are
 * @throws FramewrightError USAGE for a run there is none of, or one that was cancelled
 */
export async function retryRun({ queue: url, run, codes = [] }: RetryOptions): Promise<number> {
  await using connection = await connect(url);
  const store = new RunStore(connection.redis);
  const { madeFor } = await store.spec(run);
  const queue = openQueue(connection, madeFor);
  const nth = await store.beginRetry(run);
  using _beat = submitterBeat(store, run);
  let nPhotos = 0;
  for await (const some of store.failures(run)) {
    const failed = some.filter(({ code }) => codes.length === 0 || codes.includes(code));
    for (let i = 0; i < failed.length; i += JOB_SIZE) {
      const part = failed.slice(i, i + JOB_SIZE);
      const id = jobId(
        run,
        `${keyOfSettings(part.map(({ photo }) => photo.planned.input)).slice(0, ID_DIGITS)}-${nth}`,
      );
      await store.openJobs(run, [id]);
      const photos = part.map(({ photo }) => photo);
      await queue.add(run, { what: 'crop', run, photos }, jobOptions(id, PRIORITIES.default));
      // They are in the queue by now: where this ends before they are forgotten, the same jobs are put in again.
      await store.forgetFailures(run, part);
      nPhotos += part.length;
    }
  }
  if (await store.endRetry(run, nth)) await addMergeJob(queue, run);
  return nPhotos;
}
