import type { FastifyInstance } from 'fastify';
import { FramewrightError } from '../../base/errors.js';
import { boxOfRect, type Size } from '../../base/geometry.js';
import { chosenRectangle } from '../../crop/crop-rectangle.js';
import { checkCanTurn } from '../../crop/straighten.js';
import { turnOf } from '../../photo/turn/turn.js';
import { editRequestSchema, type PhotoSummary, type StepAnswer } from '../api.js';
import type { LibraryPhoto } from '../library/library.js';
import type { OwnCrop } from '../state/records.js';
import { normalisedKey, targetOfKey } from '../state/target-key.js';
import type { Studio } from '../context.js';
import { openPhotoOf, photoOf, readJson, signalOf } from './requests.js';

/** Crops made by hand, and taking them back. Each is on disk before it is answered. */
export function addEditRoutes(app: FastifyInstance, studio: Studio): void {
  const { log, summaries, audience } = studio;

  app.post<{ Params: { readonly id: string } }>(
    '/studio/api/photos/:id/crops',
    async (request, reply): Promise<PhotoSummary> => {
      const photo = photoOf(studio, request.params.id);
      const signal = signalOf(studio, reply);
      const { target: asked, box, straighten = 0, by = 'hand' } = await readJson(request, editRequestSchema, signal);
      const target = normalisedKey(asked);
      const seen = box === null ? undefined : await straightSize(photo, straighten, signal);
      const crop = box && seen ? ownCrop(photo, target, { box, by, ...seen }) : null;
      await log.note({ what: 'edit', photo: photo.name, target, crop });
      tell([photo.name]);
      return summaries.of(photo);
    },
  );

  app.post('/studio/api/undo', (): Promise<StepAnswer> => step('undo'));
  app.post('/studio/api/redo', (): Promise<StepAnswer> => step('redo'));

  async function step(what: 'undo' | 'redo'): Promise<StepAnswer> {
    if (!summaries.history()[what]) throw new FramewrightError('USAGE', `there is nothing to ${what}`);
    const changed = await log.note({ what });
    const names = changed === undefined ? [] : [changed];
    tell(names);
    return { photos: summaries.ofNames(names), history: summaries.history() };
  }

  function tell(names: readonly string[]): void {
    audience.tell('photos', { photos: summaries.ofNames(names) });
    audience.tell('history', summaries.history());
  }

  async function straightSize(
    photo: LibraryPhoto,
    angleDeg: number,
    signal: AbortSignal,
  ): Promise<Pick<OwnCrop, 'photo' | 'turn'>> {
    const upright = await openPhotoOf(studio, photo, signal);
    checkCanTurn(upright, angleDeg);
    if (angleDeg === 0) return { photo: sizeOf(upright) };
    const { straight } = turnOf(upright, angleDeg);
    return { photo: sizeOf(straight), turn: { angleDeg, upright: sizeOf(upright) } };
  }
}

function sizeOf({ width, height }: Size): OwnCrop['photo'] {
  return { widthPx: width, heightPx: height };
}

/**
 * The crop as it will be written: inside the photo, and of the target's ratio to the pixel.
 *
 * @throws FramewrightError USAGE, ASPECT_IMPOSSIBLE
 */
function ownCrop({ name }: LibraryPhoto, target: string, crop: OwnCrop): OwnCrop {
  const [x1, y1, x2, y2] = crop.box;
  const size = { width: crop.photo.widthPx, height: crop.photo.heightPx };
  if (x1 < 0 || y1 < 0 || x2 > size.width || y2 > size.height) {
    const which = crop.turn ? `${name} straightened by ${crop.turn.angleDeg} degrees` : name;
    throw new FramewrightError('USAGE', `the crop is not inside ${which}, ${size.width}x${size.height} px`);
  }
  const { aspect } = targetOfKey(target);
  if (!aspect) return crop;
  return { ...crop, box: boxOfRect(chosenRectangle({ photo: size, box: crop.box, aspect, name })) };
}
