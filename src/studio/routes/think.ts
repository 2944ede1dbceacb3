import type { FastifyInstance } from 'fastify';
import { defined } from '../../base/defined.js';
import { EventStream } from '../../server/events.js';
import { problemBody, problemOf } from '../../server/problem.js';
import { ClientGone, Job } from '../../server/queue/job.js';
import { optionsReader, type Query } from '../../server/request/read-options.js';
import type { Studio } from '../context.js';
import { photoOrExample } from '../learn/examples.js';
import { thinkRequestSchema } from '../think/api.js';
import { think, type TellEvent } from '../think/think.js';

/** A large model on a processor takes minutes; whoever has no more patience leaves the page. */
const MOST_MS = 24 * 3600 * 1000;

/** One photo being thought about, in events and in the queue's turn; it stops when the client goes. */
export function addThinkRoute(app: FastifyInstance, studio: Studio): void {
  const { cropper, queue, options } = studio.server;
  const { candidates, votes, minSize } = studio.options;
  const read = optionsReader(thinkRequestSchema);
  app.get<{ Params: { readonly id: string } }>('/studio/api/think/:id', async ({ params, query }, reply) => {
    const photo = await photoOrExample(studio, params.id);
    const { aspect, conditions = ['enhanced'], attention = false } = read(query as Query, undefined);
    const job = new Job(reply, MOST_MS);
    queue.admit(job);
    const events = new EventStream(reply);
    const tell: TellEvent = (name, data) => events.send(name, data);
    try {
      tell('waiting', { waiting: queue.nWaiting - 1 });
      await queue.inTurn(job, async () => {
        for (const condition of new Set(conditions)) {
          const wishes = defined({ aspect, candidates, votes, minSize });
          await think(cropper, photo.path, { wishes, condition, attention, signal: job.signal }, tell);
        }
      });
      tell('done', {});
    } catch (error) {
      if (!(error instanceof ClientGone)) {
        const problem = problemOf(error);
        if (problem.status === 500) options.onLog(`thinking about ${photo.name}: ${String(error)}`);
        tell('problem', problemBody(problem));
      }
    } finally {
      queue.leave(job);
      events.end();
    }
    return reply;
  });
}
