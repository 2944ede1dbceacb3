import type { FastifyInstance } from 'fastify';
import { FramewrightError } from '../../base/errors.js';
import { defined } from '../../base/defined.js';
import { runRequestSchema, type RunProgress, type TargetKey } from '../api.js';
import type { LibraryPhoto } from '../library/library.js';
import { FREE, normalisedKey } from '../state/target-key.js';
import type { Studio } from '../context.js';
import { photosOf, readJson, signalOf } from './requests.js';

/** Crops by the engine for one photo or thousands. */
export function addRunRoutes(app: FastifyInstance, studio: Studio): void {
  const { runs, log } = studio;

  app.post('/studio/api/runs', async (request, reply): Promise<RunProgress> => {
    const {
      photos: ids,
      targets,
      again = false,
      ...rest
    } = await readJson(request, runRequestSchema, signalOf(studio, reply));
    const photos = photosOf(studio, ids);
    if (photos.length > 1 && (rest.focus || rest.keep)) {
      throw new FramewrightError('USAGE', 'focus and keep are places in one photo: ask for one');
    }
    const keys = [...new Set(targets.map(normalisedKey))];
    const wishes = defined(rest);
    runs.start(
      photos.flatMap((photo) =>
        together(again ? keys : keys.filter((key) => isMissing(photo, key))).map((each) => ({
          photo,
          targets: each,
          wishes,
        })),
      ),
    );
    return runs.progress;
  });

  app.delete('/studio/api/runs', async (): Promise<RunProgress> => {
    await runs.cancel();
    return runs.progress;
  });

  function isMissing({ name }: LibraryPhoto, key: TargetKey): boolean {
    return log.state.cropsOf(name).get(key)?.engine === undefined;
  }
}

/** What one call of the engine can be asked for: a crop of any shape is one alone. */
function together(keys: readonly TargetKey[]): TargetKey[][] {
  const shaped = keys.filter((key) => key !== FREE);
  return [keys.includes(FREE) ? [FREE] : [], shaped].filter((each) => each.length > 0);
}
