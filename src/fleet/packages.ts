import { FramewrightError, messageOf } from '../base/errors.js';

/** Optional peers: the queue, and its client of Redis and Valkey. */
export const QUEUE_PACKAGES = ['bullmq', 'ioredis'] as const;

/** The modules of {@link QUEUE_PACKAGES}; nothing else of the library loads them. */
export interface QueueModules {
  readonly bullmq: typeof import('bullmq');
  readonly ioredis: Pick<typeof import('ioredis'), 'Redis'>;
}

/** @throws FramewrightError TOOL_NOT_FOUND where they are not installed */
export async function loadQueueModules(): Promise<QueueModules> {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, ioredis };
  } catch (cause) {
    throw new FramewrightError(
      'TOOL_NOT_FOUND',
      `a fleet needs packages of its own: npm install ${QUEUE_PACKAGES.join(' ')} (${messageOf(cause)})`,
      { cause },
    );
  }
}
