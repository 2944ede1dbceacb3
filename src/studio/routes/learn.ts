import type { FastifyInstance } from 'fastify';
import { FramewrightError } from '../../base/errors.js';
import type { Studio } from '../context.js';
import type { ExamplePhoto } from '../learn/api.js';
import { examplePhotos, photoOrExample } from '../learn/examples.js';
import { PICTURE_SIDES } from '../library/pictures.js';
import { signalOf } from './requests.js';

interface OfPhoto {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly side?: string };
}

/** What explains how crops are found, on photos that come with the package and on one's own. */
export function addLearnRoutes(app: FastifyInstance, studio: Studio): void {
  const { pictures } = studio;

  app.get('/studio/api/examples', async (): Promise<ExamplePhoto[]> => {
    return (await examplePhotos()).map(({ id, name }) => ({ id, name }));
  });

  app.get<OfPhoto>('/studio/api/examples/:id/picture', async ({ params, query }, reply) => {
    const photo = await photoOrExample(studio, params.id);
    const side = PICTURE_SIDES.find((each) => String(each) === query.side);
    if (side === undefined) throw new FramewrightError('USAGE', `side is one of ${PICTURE_SIDES.join(', ')}`);
    return reply.type('image/jpeg').send(await pictures.jpeg(photo, side, signalOf(studio, reply)));
  });
}
