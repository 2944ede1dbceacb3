import type { FastifyInstance } from 'fastify';
import { defined } from '../../base/defined.js';
import type { ServerContext } from '../context.js';
import type { AnalyseAnswer, RankAnswer } from '../request/answers.js';
import { requireJson } from '../request/negotiate.js';
import { optionsReader } from '../request/read-options.js';
import { analyseRequestSchema, rankRequestSchema } from '../request/schema.js';
import { withPhoto } from '../upload/photo-request.js';

/** POST /v1/analyse and /v1/rank: what a photo rests on, and how likely rectangles are as its crop. */
export function addLookRoutes(app: FastifyInstance, context: ServerContext): void {
  const { queue, cropper } = context;
  const readAnalyse = optionsReader(analyseRequestSchema);
  app.post('/v1/analyse', async (request, reply) => {
    requireJson(request.headers.accept);
    return withPhoto(
      context,
      request,
      reply,
      readAnalyse,
      async ({ bytes, job, options: { seed, temperature, tilt } }): Promise<AnalyseAnswer> => {
        const { signal } = job;
        const wishes = { ...defined({ seed, temperature }), signal };
        return queue.inTurn(job, async () => ({
          elements: await cropper.analyse(bytes, wishes),
          ...(tilt && { tilt: (await cropper.tilt(bytes, { signal })) ?? null }),
        }));
      },
    );
  });
  const readRank = optionsReader(rankRequestSchema);
  app.post('/v1/rank', async (request, reply) => {
    requireJson(request.headers.accept);
    return withPhoto(context, request, reply, readRank, async ({ bytes, job, options }): Promise<RankAnswer> => {
      const { rectangles, seed, temperature } = options;
      const wishes = { ...defined({ seed, temperature }), signal: job.signal };
      return { logLikelihoods: await queue.inTurn(job, () => cropper.rank(bytes, rectangles, wishes)) };
    });
  });
}
