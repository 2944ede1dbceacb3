import type { FastifyInstance } from 'fastify';
import { defined } from '../../base/defined.js';
import { PRESETS } from '../../crop/presets.js';
import { readBody, tooLarge } from '../../server/upload/read-body.js';
import type { LibraryAnswer, PhotoSummary } from '../api.js';
import type { Studio } from '../context.js';
import { signalOf } from './requests.js';

/** The folder as a list, events of what happens to it, and photos added to it. */
export function addLibraryRoutes(app: FastifyInstance, studio: Studio): void {
  const { library, summaries, audience, runs, server, output, options } = studio;
  const { cropper } = server;

  app.get('/studio/api/library', (): LibraryAnswer => {
    const { engine, model, takesInstruction } = cropper;
    return {
      ...{ folder: library.folder, output, engine, takesInstruction },
      straighten: options.straighten ?? 'off',
      marksPositions: model?.use.preprocess.positionRamps ?? false,
      ...defined({ model: model?.name }),
      presets: Object.entries(PRESETS).map(([name, size]) => ({ name, size })),
      photos: summaries.all(),
      notes: library.notes,
      run: runs.progress,
      history: summaries.history(),
    };
  });

  app.get('/studio/api/events', (_request, reply) => {
    audience.add(reply, runs.progress);
    return reply;
  });

  app.post('/studio/api/look', async (): Promise<{ nPhotos: number }> => {
    await library.look();
    audience.tell('library', {});
    return { nPhotos: library.photos.length };
  });

  app.post('/studio/api/photos', async (request, reply): Promise<PhotoSummary> => {
    const { maxBytes } = server.options;
    const signal = signalOf(studio, reply);
    const declared = Number(request.headers['content-length'] ?? maxBytes);
    if (declared > maxBytes) throw tooLarge(maxBytes);
    using _held = await server.queue.uploads.take(Math.min(declared, maxBytes), signal);
    const bytes = await readBody(request.raw, maxBytes, signal);
    const { name = 'photo' } = request.query as { readonly name?: unknown };
    const photo = await library.add(bytes, typeof name === 'string' ? name : 'photo');
    audience.tell('library', {});
    return summaries.of(photo);
  });
}
