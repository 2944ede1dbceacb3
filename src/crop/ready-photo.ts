import { defined } from '../base/defined.js';
import { coordinateSpace } from '../base/coordinates.js';
import type { Size } from '../base/geometry.js';
import { Timings } from '../base/timings.js';
import type { PhotoEngine } from '../engines/engine.js';
import type { FrameImage } from '../engines/frame-image.js';
import type { Head } from '../faces/heads.js';
import { frameOf } from '../photo/animation.js';
import { decodePhoto, type Photo } from '../photo/decode.js';
import { chooseFrame, frameMap, type FrameMap } from '../photo/frame.js';
import type { PhotoInput } from '../photo/input-kinds.js';
import { renderFrame } from '../photo/render.js';
import type { Straighten } from './straighten-wish.js';
import { straighten, type Straightened, type ToKeepInside } from './straighten.js';
import { findTextLines, type TextInPhoto } from './text-lines.js';

/** A decoded photo with the raster the model will see. */
export interface ReadyPhoto extends FrameImage {
  /** Straightened, where that was wished. */
  readonly photo: Photo;
  /** What became of that wish. */
  readonly straighten?: Straightened;
  /** How far the engine's coordinates reach over the frame. */
  readonly space: Size;
  /** From photo pixels to the engine's coordinates and back. */
  readonly map: FrameMap;
  readonly timings: Timings;
  /** Found in this photo, in oriented photo pixels; no crop may cut any. */
  readonly heads?: readonly Head[];
  /** Found in this photo, where it is wished that no crop cuts any. */
  readonly text?: readonly TextInPhoto[];
}

/** Of what is wished of a crop, what is done to the photo before any engine sees it. */
type FramingWishes = ToKeepInside & { readonly straighten?: Straighten; readonly wholeText?: boolean };

/** decode: the file, and the model frame made of it. */
export async function framePhoto(
  input: PhotoInput,
  engine: Pick<PhotoEngine, 'pixelBudget' | 'needsPixels' | 'coordinates'>,
  options: { maxPixels?: number; firstFrame?: boolean; rawPreview?: boolean; name?: string; signal?: AbortSignal },
  { straighten: wish = 'off', keep = [], focus, wholeText = false }: FramingWishes = {},
): Promise<ReadyPhoto> {
  const timings = new Timings();
  const decoded = await timings.measure('decode', () => decodePhoto(input, options));
  const straight =
    wish === 'off'
      ? { photo: decoded }
      : await timings.measure('straighten', () =>
          straighten(decoded, wish, { keep, ...defined({ focus }) }, options.signal),
        );
  const ready = await timings.measure('decode', () => frameOfPhoto(straight.photo, engine, timings, options));
  if (!wholeText) return { ...ready, ...straight };
  const { signal } = options;
  const text = await timings.measure('text', () => findTextLines(straight.photo, defined({ signal })));
  return { ...ready, ...straight, text };
}

/** As `framePhoto`, of another frame of an animation. */
export async function frameAnother(
  ready: ReadyPhoto,
  page: number,
  engine: Pick<PhotoEngine, 'pixelBudget' | 'needsPixels' | 'coordinates'>,
  options: { signal?: AbortSignal },
): Promise<ReadyPhoto> {
  const timings = new Timings();
  return timings.measure('decode', async () =>
    frameOfPhoto(await frameOf(ready.photo, page, options.signal), engine, timings, options),
  );
}

async function frameOfPhoto(
  photo: Photo,
  engine: Pick<PhotoEngine, 'pixelBudget' | 'needsPixels' | 'coordinates'>,
  timings: Timings,
  options: { signal?: AbortSignal },
): Promise<ReadyPhoto> {
  const frame = chooseFrame(photo, engine.pixelBudget);
  const rgb = (engine.needsPixels ?? true) ? await renderFrame(photo, frame, options) : new Uint8Array();
  return { photo, frame, rgb, timings, ...coordinatesFor(photo, frame, engine) };
}

/** The same photo with the frame that another engine looks at. */
export async function readyFor(
  ready: ReadyPhoto,
  engine: Pick<PhotoEngine, 'pixelBudget' | 'needsPixels' | 'coordinates'>,
  options: { signal?: AbortSignal },
): Promise<ReadyPhoto> {
  const { photo, timings, straighten, heads, text } = ready;
  const framed = await timings.measure('decode', () => frameOfPhoto(photo, engine, timings, options));
  const straight = { ...framed, ...defined({ straighten, text }) };
  return heads ? withHeads(straight, heads) : straight;
}

/** @param heads in oriented photo pixels */
export function withHeads(ready: ReadyPhoto, heads: readonly Head[]): ReadyPhoto {
  const { toFrame } = frameMap(ready.photo, ready.frame);
  return { ...ready, heads, headsInFrame: heads.flatMap(({ box, isSure }) => (isSure ? [toFrame.box(box)] : [])) };
}

function coordinatesFor(
  photo: Photo,
  frame: Size,
  { coordinates = 'pixels' }: Pick<PhotoEngine, 'coordinates'>,
): Pick<ReadyPhoto, 'space' | 'map'> {
  const space = coordinateSpace(coordinates, frame);
  return { space, map: frameMap(photo, space) };
}
