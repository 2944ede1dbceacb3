import { needPackages } from '../files/optional-packages.js';

/** The queue, and its client of Redis and Valkey; nothing else of the library loads them. */
export interface QueueModules {
  readonly bullmq: typeof import('bullmq');
  readonly ioredis: Pick<typeof import('ioredis'), 'Redis'>;
}

/** @throws FramewrightError PACKAGE_NOT_FOUND where they are not installed */
export async function loadQueueModules(): Promise<QueueModules> {
  needPackages('fleet', 'a fleet');
  const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
  return { bullmq, ioredis };
}
