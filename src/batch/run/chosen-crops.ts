import type { Choice } from '../choices.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { PhotoOutcome } from '../../cropper/options.js';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { decodePhoto, type Photo } from '../../photo/decode.js';
import type { CropResult } from '../../base/schema.js';
import { rectOfBox } from '../../base/geometry.js';
import { chosenRectangle } from '../../crop/crop-rectangle.js';
import { resultNotes } from '../../crop/result-notes.js';
import { focalPoint } from '../../crop/focal-point.js';
import { straighten, type Straightened } from '../../crop/straighten.js';
import { canvasOf } from '../../crop/canvas.js';
import { askedTarget, canvasInResult, photoInResult } from '../../crop/crop-result.js';
import { settleFit } from '../../crop/wishes.js';
import { Timings } from '../../base/timings.js';

interface DecodeLimits {
  readonly maxPixels?: number;
  readonly firstFrame?: boolean;
  readonly rawPreview?: boolean;
  readonly signal: AbortSignal;
}

/** Gives the crops a person chose as a cropper gives its own: one outcome a choice, in order. No model is at work. */
export function chosenCropper(
  choices: readonly Choice[],
  { maxPixels, firstFrame, rawPreview, signal }: DecodeLimits,
): Pick<Cropper, 'cropEach'> {
  const limits = { signal, ...defined({ maxPixels, firstFrame, rawPreview }) };
  return { cropEach: (tasks) => inStep(tasks, chosenCrops(choices, limits)) };
}

/** Takes a task for each outcome, so that each photo is looked at before it is read. */
async function* inStep<T>(
  tasks: Iterable<unknown> | AsyncIterable<unknown>,
  outcomes: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in tasks ? tasks[Symbol.asyncIterator]() : tasks[Symbol.iterator]();
  await iterator.next();
  for await (const outcome of outcomes) {
    yield outcome;
    await iterator.next();
  }
}

async function* chosenCrops(
  choices: readonly Choice[],
  options: DecodeLimits,
): AsyncGenerator<PhotoOutcome, void, undefined> {
  for (const choice of choices) {
    options.signal.throwIfAborted();
    const input = choice.path;
    try {
      const timings = new Timings();
      const decoded = await timings.measure('decode', () => decodePhoto(input, options));
      const { photo, straighten: straightened } = await straighten(
        decoded,
        choice.straighten ?? 'off',
        {},
        options.signal,
      );
      const result = chosenCrop(photo, straightened, choice, timings.with(new Timings()));
      yield { input, photo, results: [result], targets: [{ target: choice.target, result }] };
    } catch (error) {
      options.signal.throwIfAborted();
      yield { input, error };
    }
  }
}

/**
 * The choice as a result. A box that does not have its target's ratio (one written by hand) is taken to the nearest that
 * does.
 *
 * @throws FramewrightError USAGE for a box outside the photo, or one chosen in a photo of another size.
 */
function chosenCrop(
  photo: Photo,
  straightened: Straightened | undefined,
  { box, target, photo: seen, from, fit, background, enlarge }: Choice,
  timingsMs: Record<string, number>,
): CropResult {
  const { width, height } = photo;
  if (seen && (seen.widthPx !== width || seen.heightPx !== height)) {
    throw new FramewrightError(
      'USAGE',
      `${photo.name} is ${width}x${height} px and was ${seen.widthPx}x${seen.heightPx} px when its crop was chosen (${from}): crop it anew`,
    );
  }
  const [x1, y1, x2, y2] = box;
  if (x1 < 0 || y1 < 0 || x2 > width || y2 > height) {
    throw new FramewrightError(
      'USAGE',
      `the box ${box.join(',')} (${from}) is not inside ${photo.name}, ${width}x${height} px`,
    );
  }
  const { aspect } = target;
  const wishes = settleFit(defined({ fit, background, enlarge }), [target]);
  const isCut = aspect && (wishes.fit ?? 'crop') === 'crop';
  const crop = isCut ? chosenRectangle({ photo, box, aspect, name: photo.name }) : rectOfBox(box);
  const canvas = canvasOf(crop, target, wishes, photo);
  const final: CropResult['candidates'][number]['box'] = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
  const size = { widthPx: width, heightPx: height };
  const why = 'Chosen by hand.';
  const isWhole = crop.width === width && crop.height === height;
  return {
    schemaVersion: 1,
    photo: photoInResult(photo),
    engine: 'chosen',
    frame: size,
    target: askedTarget(target, wishes),
    analysis: [],
    candidates: [{ box: final, modelScore: 1, why }],
    best: 0,
    why,
    crop,
    ...defined({ canvas: canvas && canvasInResult(canvas) }),
    focalPoint: focalPoint(photo, [], final),
    ...defined({ straighten: straightened }),
    verdict: isWhole && !target.aspect && !photo.turn ? 'keep' : 'crop',
    ...resultNotes(photo, crop, { size: target.size, canvas }),
    timingsMs,
  };
}
