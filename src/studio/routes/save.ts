import type { FastifyInstance } from 'fastify';
import { saveRequestSchema, type SaveAnswer } from '../api.js';
import { choiceLine } from '../save/save-crops.js';
import { standingCrop } from '../state/photo-crops.js';
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

  /** As `framewright crop --choices` and `train prefs` read them: `?all` also those of the engine that were left as they are. */
  app.get<{ Querystring: { readonly all?: string } }>('/studio/api/choices.jsonl', ({ query }, reply) => {
    const lines = library.photos.flatMap((photo) =>
      [...log.state.cropsOf(photo.name)].flatMap(([target, each]) => {
        const crop = standingCrop(each);
        return crop && (query.all !== undefined || crop.by !== 'model') ? [choiceLine({ photo, target, crop })] : [];
      }),
    );
    return reply
      .type('application/jsonl; charset=utf-8')
      .header('content-disposition', 'attachment; filename="choices.jsonl"')
      .send(lines.join(''));
  });
}
