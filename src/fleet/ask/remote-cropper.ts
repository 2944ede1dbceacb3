import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { untilAborted } from '../../base/abort.js';
import { FramewrightError, type ErrorCode } from '../../base/errors.js';
import type { MeasuredCropper } from '../../eval/methods/vlm.js';
import { photoSize } from '../../eval/datasets/photos.js';
import { connect } from '../connect.js';
import { madeFor, type EngineChoice } from '../made-for.js';
import { openQueue, PRIORITIES, queueName, QUEUE_PREFIX } from '../queue.js';
import type { PhotoFailure } from '../run/run-spec.js';
import type { WorkerRecord } from '../run/run-record.js';
import { RunStore } from '../run/run-store.js';
import type { Answer, Answers, Question } from './question.js';

/** How long an answer is kept for whoever asked. */
const KEPT_S = 600;
/** Between two looks whether workers are still there for what was asked. */
const LOOK_MS = 5000;

/** What a worker says to a question: an answer, or why it has none. */
export type Reply = { readonly answer: Answer } | { readonly failure: PhotoFailure };

export interface RemoteOptions {
  readonly queue: string;
  /** The engine and model that its workers have. */
  readonly cropper: EngineChoice;
  readonly signal?: AbortSignal;
  /** Told when questions wait and the last worker that takes them has gone: they wait for another. */
  readonly onAlone?: (why: string) => void;
}

/** A model that workers have, to be measured as one that is here. */
export interface RemoteCropper extends MeasuredCropper {
  /** Workers that take its questions now. */
  readonly nWorkers: number;
}

/**
 * Opens the model of the workers of a queue: photos are asked about where there is room, by paths that are the same on all
 * machines.
 *
 * @throws FramewrightError USAGE where no worker has such a model, or for an address that is none; PACKAGE_NOT_FOUND
 */
export async function openRemoteCropper({
  queue: url,
  cropper,
  signal,
  onAlone,
}: RemoteOptions): Promise<RemoteCropper> {
  const kind = await madeFor(cropper);
  const connection = await connect(url);
  const { redis, modules } = connection;
  const queue = openQueue(connection, kind);
  const events = new modules.bullmq.QueueEvents(queueName(kind), { connection: redis, prefix: QUEUE_PREFIX });
  events.on('error', () => undefined);
  const store = new RunStore(redis);
  const ownWorkers = async (): Promise<readonly WorkerRecord[]> =>
    (await store.workers()).filter((worker) => worker.madeFor === kind.key);
  let nAsked = 0;
  let isAlone = false;
  const look = async (): Promise<void> => {
    const wasAlone = isAlone;
    isAlone = nAsked > 0 && (await ownWorkers()).length === 0;
    if (isAlone && !wasAlone)
      onAlone?.(`no worker of this queue is for ${kind.words} any more: start framewright fleet work, and it goes on`);
  };
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  const dispose = async (): Promise<void> => {
    clearInterval(looking);
    await events.close();
    await queue.close();
    await connection[Symbol.asyncDispose]();
  };
  const ask = async <K extends keyof Answers>(question: Question & { readonly ask: K }): Promise<Answers[K]> => {
    const job = await queue.add(
      'ask',
      { what: 'ask', run: 'questions', question },
      { jobId: randomUUID(), priority: PRIORITIES.first, removeOnComplete: { age: KEPT_S }, removeOnFail: true },
    );
    nAsked++;
    const reply = (await untilAborted(job.waitUntilFinished(events), signal).finally(() => nAsked--)) as Reply;
    if ('failure' in reply) throw new FramewrightError(reply.failure.code as ErrorCode, reply.failure.message);
    return reply.answer as Answers[K];
  };
  try {
    const own = await ownWorkers();
    if (own.length === 0) {
      throw new FramewrightError('USAGE', `no worker of this queue is for ${kind.words}: start framewright fleet work`);
    }
    await events.waitUntilReady();
    const { model, runtimeInfo } = await ask({ ask: 'model' });
    return {
      engine: 'vlm',
      model,
      runtimeInfo,
      nWorkers: own.length,
      dispose,
      hold: async (photo) => {
        const file = path.resolve(photo);
        const { width, height } = await photoSize(file);
        return {
          widthPx: width,
          heightPx: height,
          crop: ({ signal: _, ...wishes } = {}) => ask({ ask: 'crop', photo: file, wishes }),
          rank: (rectangles, { without = [] } = {}) => ask({ ask: 'rank', photo: file, rectangles, without }),
          analyse: () => ask({ ask: 'analyse', photo: file }),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        };
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
