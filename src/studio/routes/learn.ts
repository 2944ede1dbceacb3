import type { FastifyInstance } from 'fastify';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import type { EngineName } from '../../base/schema.js';
import { openCropper, type Cropper } from '../../cropper/cropper.js';
import { KIND_COLOURS } from '../../photo/overlay/palette.js';
import { drawElements } from '../../report/crop-report-data.js';
import { Job } from '../../server/queue/job.js';
import { optionsReader } from '../../server/request/read-options.js';
import type { Studio } from '../context.js';
import { learnRequestSchema, type EngineAnswer, type ExamplePhoto, type FiguresAnswer } from '../learn/api.js';
import { examplePhotos, photoOrExample } from '../learn/examples.js';
import { readEvaluation, readTraining } from '../learn/figures.js';
import { PICTURE_QUALITY, sideOf } from '../library/picture-sides.js';
import { signalOf } from './requests.js';

interface OfPhoto {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly side?: string };
}

/** A large model on a processor takes minutes; whoever has no more patience leaves the page. */
const MOST_MS = 24 * 3600 * 1000;

/** What explains how crops are found, on photos that come with the package and on one's own. */
export function addLearnRoutes(app: FastifyInstance, studio: Studio): void {
  const { pictures, options, server } = studio;
  const { queue } = server;
  const { candidates, minSize } = options;
  const read = optionsReader(learnRequestSchema);
  /** Beside the studio's own. */
  const others = new Map<EngineName, Promise<Cropper>>();
  app.addHook('onClose', async () => {
    for (const opened of others.values()) await (await opened.catch(() => undefined))?.dispose();
  });

  app.get('/studio/api/learn', async (): Promise<FiguresAnswer> => {
    const { evaluations = [], trainings = [] } = options;
    return {
      evaluations: await Promise.all(evaluations.map(readEvaluation)),
      trainings: await Promise.all(trainings.map(readTraining)),
    };
  });

  app.get<OfPhoto>('/studio/api/learn/:id', async ({ params, query }, reply): Promise<EngineAnswer> => {
    const photo = await photoOrExample(studio, params.id);
    const { engine, aspect } = read(query, undefined);
    const job = new Job(reply, MOST_MS);
    queue.admit(job);
    try {
      const cropper = await cropperOf(engine);
      const result = await queue.inTurn(job, () =>
        cropper.crop(photo.path, { ...defined({ aspect, candidates, minSize }), signal: job.signal }),
      );
      const { widthPx: width, heightPx: height } = result.photo;
      const { elements, drawing } = drawElements(result.analysis, { width, height });
      return { result, drawing, elements: elements.map((each) => ({ ...each, colour: KIND_COLOURS[each.kind] })) };
    } finally {
      queue.leave(job);
    }
  });

  app.get('/studio/api/examples', async (): Promise<ExamplePhoto[]> => {
    return (await examplePhotos()).map(({ id, name }) => ({ id, name }));
  });

  app.get<OfPhoto>('/studio/api/examples/:id/picture', async ({ params, query }, reply) => {
    const { path, name } = await photoOrExample(studio, params.id);
    const wanted = { path, name, side: sideOf(query.side), quality: PICTURE_QUALITY };
    return reply.type('image/jpeg').send(await pictures.jpeg(wanted, signalOf(studio, reply)));
  });

  /** The studio's own, or another one, opened when it is first asked for. */
  async function cropperOf(engine: EngineName): Promise<Cropper> {
    if (engine === server.cropper.engine) return server.cropper;
    if (engine === 'vlm') {
      const { engines } = server.cropper;
      const detail = engines.includes('vlm')
        ? `the studio was started with ${engines.join(', ')} in turn, not with the model alone`
        : `the studio was started with the engine ${engines.join(', ')}, which has no model`;
      throw new FramewrightError('USAGE', detail);
    }
    const known = others.get(engine);
    if (known) return known;
    const opened = openCropper({ engine, ...defined({ maxPixels: options.maxPixels }) });
    others.set(engine, opened);
    return opened;
  }
}
