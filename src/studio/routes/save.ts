import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { saveRequestSchema, type SaveAnswer } from '../api.js';
import { choicesOf } from '../save/choices.js';
import { normalisedKey } from '../state/target-key.js';
import type { Studio } from '../context.js';
import { photosOf, readJson, signalOf } from './requests.js';

/** Crops as files, and the choices made by hand as a list. */
export function addSaveRoutes(app: FastifyInstance, studio: Studio): void {
  const { saver, audience, summaries, library, log } = studio;

  app.post('/studio/api/save', async (request, reply): Promise<SaveAnswer> => {
    const signal = signalOf(studio, reply);
    const { photos: ids, targets, replace = false } = await readJson(request, saveRequestSchema, signal);
    const photos = photosOf(studio, ids);
    try {
      return await saver.save({ photos, targets: targets?.map(normalisedKey), replace }, signal);
    } finally {
      audience.tell('photos', { photos: photos.map((photo) => summaries.of(photo)) });
    }
  });

  /** As `framewright crop --choices` and `train prefs` read them: with `?all` also what nobody has changed. */
  app.get<{ Querystring: { readonly all?: string } }>('/studio/api/choices.jsonl', ({ query }, reply) =>
    reply
      .type('application/jsonl; charset=utf-8')
      .header('content-disposition', 'attachment; filename="choices.jsonl"')
      .send(Readable.from(choicesOf(library, log, query.all !== undefined))),
  );
}
