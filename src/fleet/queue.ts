import type { JobsOptions, Queue } from 'bullmq';
import type { FleetConnection } from './connect.js';
import type { MadeFor } from './made-for.js';
import type { JobData } from './run/run-spec.js';

/** Of all its keys on the server, so that other queues there keep theirs. */
export const QUEUE_PREFIX = 'framewright';

/** Workers of one kind share a queue, and see the jobs of no other. */
export function queueName({ key }: MadeFor): string {
  return `fleet-${key}`;
}

/** The queue of a kind of worker; the connection stays the caller's. */
export function openQueue({ modules, redis }: FleetConnection, kind: MadeFor): Queue<JobData> {
  const queue = new modules.bullmq.Queue<JobData>(queueName(kind), { connection: redis, prefix: QUEUE_PREFIX });
  // Those of the connection are told of where it was made; an emitter without a listener would end the process.
  queue.on('error', () => undefined);
  return queue;
}

/** Higher numbers come later; all jobs have one, since those without would come first. */
export const PRIORITIES = { first: 1, default: 100, last: 1_000_000 } as const;

/** What is done is known by its notes: nothing of it stays with the server. */
export function jobOptions(jobId: string, priority: number): JobsOptions {
  return { jobId, priority, removeOnComplete: true, removeOnFail: true };
}

/** Of what tells the jobs of a run apart. */
export const ID_DIGITS = 24;

/** Jobs of several runs lie in one queue. */
export function jobId(run: string, id: string): string {
  return `${run}.${id}`;
}
