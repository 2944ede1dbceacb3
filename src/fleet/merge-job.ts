import type { Queue } from 'bullmq';
import { jobId, jobOptions, PRIORITIES } from './queue.js';
import type { JobData } from './run/run-spec.js';

/** The last job of a run; added as often as someone finds all others done, it is there once. */
export async function addMergeJob(queue: Queue<JobData>, run: string): Promise<void> {
  await queue.add(run, { what: 'merge', run }, jobOptions(jobId(run, 'merge'), PRIORITIES.first));
}
