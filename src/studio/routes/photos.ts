import type { FastifyInstance } from 'fastify';
import { FramewrightError } from '../../base/errors.js';
import { encodeCrop } from '../../photo/crop-file.js';
import { rectOfBox } from '../../base/geometry.js';
import { defined } from '../../base/defined.js';
import { measureTilt, SURE_OF_TILT } from '../../crop/straighten.js';
import { turnPhoto } from '../../photo/turn/turn-photo.js';
import { KIND_COLOURS } from '../../photo/overlay/palette.js';
import { reportPhoto } from '../../report/crop-report-data.js';
import type { CropResult } from '../../base/schema.js';
import type { PhotoAnswer, PhotoSize, TargetKey, TiltAnswer } from '../api.js';
import type { LibraryPhoto } from '../library/library.js';
import { PICTURE_QUALITY, sideOf } from '../library/picture-sides.js';
import { standingCrop, turnOfResult } from '../state/photo-crops.js';
import { normalisedKey, targetOfKey } from '../state/target-key.js';
import type { Studio } from '../context.js';
import { openPhotoOf, photoOf, signalOf } from './requests.js';

interface OfPhoto {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly side?: string; readonly target?: string };
}

/** One photo: what is known of it, its pictures, its crop as a file to take away. */
export function addPhotoRoutes(app: FastifyInstance, studio: Studio): void {
  const { log, summaries, pictures, options } = studio;

  app.get<OfPhoto>('/studio/api/photos/:id', async ({ params }, reply): Promise<PhotoAnswer> => {
    const photo = photoOf(studio, params.id);
    const results = await resultsOf(photo);
    const [first] = Object.values(results);
    const turn = first && turnOfResult(first);
    const { widthPx, heightPx } = turn?.upright ?? first?.photo ?? (await sizeOf(photo, signalOf(studio, reply)));
    const drawn = first && reportPhoto(photo.name, [first]);
    return {
      photo: summaries.of(photo),
      size: { widthPx, heightPx },
      results,
      elements: drawn?.elements.map((element) => ({ ...element, colour: KIND_COLOURS[element.kind] })) ?? [],
      drawing: drawn?.drawing ?? { width: widthPx, height: heightPx },
      ...defined({ turn }),
    };
  });

  app.get<OfPhoto>('/studio/api/photos/:id/picture', async ({ params, query }, reply) => {
    const { path, name } = photoOf(studio, params.id);
    const wanted = { path, name, side: sideOf(query.side), quality: PICTURE_QUALITY };
    const jpeg = await pictures.jpeg(wanted, signalOf(studio, reply));
    // Its address has the file's version in it.
    return reply.type('image/jpeg').header('cache-control', 'private, max-age=604800, immutable').send(jpeg);
  });

  app.get<OfPhoto>('/studio/api/photos/:id/tilt', async ({ params }, reply): Promise<TiltAnswer> => {
    const signal = signalOf(studio, reply);
    const tilt = await measureTilt(await openPhotoOf(studio, photoOf(studio, params.id), signal), { signal });
    if (!tilt) return {};
    const { angleDeg, confidence, from } = tilt;
    return { tilt: { angleDeg, confidence, from, isSure: confidence >= SURE_OF_TILT } };
  });

  app.get<OfPhoto>('/studio/api/photos/:id/crop', async ({ params, query }, reply) => {
    const photo = photoOf(studio, params.id);
    const key = normalisedKey(query.target ?? 'free');
    const crop = standingCrop(log.state.cropsOf(photo.name).get(key) ?? {});
    if (!crop) throw new FramewrightError('USAGE', 'this photo has no crop of that shape yet');
    const signal = signalOf(studio, reply);
    const decoded = await openPhotoOf(studio, photo, signal);
    const straight = await turnPhoto(decoded, crop.turn?.angleDeg ?? 0, signal);
    const { size } = targetOfKey(key);
    const { bytes, format } = await encodeCrop(straight, {
      crop: rectOfBox(crop.box),
      ...defined({ resize: size, format: options.format, quality: options.quality, strip: options.strip, signal }),
    });
    return reply.type(`image/${format}`).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });

  async function sizeOf(photo: LibraryPhoto, signal: AbortSignal): Promise<PhotoSize> {
    const { width, height } = await openPhotoOf(studio, photo, signal);
    return { widthPx: width, heightPx: height };
  }

  async function resultsOf({ name }: LibraryPhoto): Promise<Record<TargetKey, CropResult>> {
    const results: Record<TargetKey, CropResult> = {};
    for (const [target, { engine }] of log.state.cropsOf(name)) {
      if (engine) results[target] = await log.resultAt(engine.at);
    }
    return results;
  }
}
