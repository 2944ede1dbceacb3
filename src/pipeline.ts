import type { SamplingOptions } from './answer/sampled-answer.js';
import { cropResultOf } from './crop-result.js';
import { FramewrightError } from './errors.js';
import type { Box, Size } from './geometry.js';
import { decodePhoto, type Photo } from './image/decode.js';
import type { PhotoInput } from './image/input.js';
import { renderFrame } from './image/render.js';
import { chooseFrame, frameMap, type FrameMap } from './image/frame.js';
import type { Vlm } from './open-vlm.js';
import type { FrameImage, TranscriptPart } from './prompt/conversation.js';
import { seededRandom } from './random.js';
import type { CropRect, CropResult, Element } from './schema.js';
import { cropRectangle } from './steps/crop.js';
import { formatAspect, type Target } from './target.js';
import { Timings } from './timings.js';
import type { VlmTarget } from './vlm-engine.js';

/** What is asked for one photo, whatever the targets; see CropOptions. */
export interface PhotoRequest {
  readonly candidates?: number;
  readonly votes?: number;
  readonly keep?: readonly CropRect[];
  readonly minSize?: number;
  readonly instruct?: string;
  readonly temperature?: number;
  readonly seed?: number;
  readonly onProgress?: (stage: string) => void;
  /** Called once a crop with everything the model was told and shown and what it said, for diagnosis. */
  readonly onConversation?: (parts: readonly ConversationPart[], target: Target) => void;
  readonly signal?: AbortSignal;
}

/** A run of a conversation: text as the model has it, special tokens included, or an image as it was shown. */
export type ConversationPart =
  | { readonly kind: 'prompt' | 'answer'; readonly text: string; readonly nTokens: number }
  | { readonly kind: 'image'; readonly image: FrameImage };

/** A decoded photo with the raster the model will see. */
export interface ReadyPhoto extends FrameImage {
  readonly photo: Photo;
  readonly map: FrameMap;
  readonly timings: Timings;
}

const DEFAULTS = { candidates: 5, votes: 1, minSize: 0.25, temperature: 0, seed: 0 } as const;
const MAX_CANDIDATES = 20;

/** decode: the file, and the model frame made of it. */
export async function framePhoto(
  input: PhotoInput,
  vlm: Vlm,
  options: { maxPixels?: number; signal: AbortSignal },
): Promise<ReadyPhoto> {
  const timings = new Timings();
  return timings.measure('decode', async () => {
    const photo = await decodePhoto(input, options);
    const { pixelBudget } = vlm.resolved.use;
    const frame = chooseFrame(photo, { minPixels: pixelBudget.min, maxPixels: pixelBudget.max });
    const rgb = await renderFrame(photo, frame, options);
    return { photo, frame, rgb, map: frameMap(photo, frame), timings };
  });
}

/** analyse -> enhance -> propose -> decide -> crop: one result for each target. */
export async function cropPhoto(
  ready: ReadyPhoto,
  targets: readonly Target[],
  vlm: Vlm,
  request: PhotoRequest,
): Promise<CropResult[]> {
  const { candidates: count = DEFAULTS.candidates, votes = DEFAULTS.votes, minSize = DEFAULTS.minSize } = request;
  checkRange('candidates', count, 1, MAX_CANDIDATES);
  checkRange('votes', votes, 1, MAX_CANDIDATES);
  if (!(minSize >= 0 && minSize <= 1)) throw usage('minSize', 'a share of the photo from 0 to 1', minSize);
  if (request.instruct && !vlm.engine.takesInstruction) {
    const model = vlm.resolved.name;
    throw new FramewrightError(
      'USAGE',
      `the model ${model} takes no instruction in words; choose a Qwen2.5-VL with --model`,
    );
  }
  const keep = (request.keep ?? []).map((rect) => keepBox(rect, ready.photo));

  const vlmTargets = targets.map((target): VlmTarget & { timings: Timings } => ({
    limits: limitsInFrame(ready, target, keep, minSize),
    ...(target.aspect ? { aspect: formatAspect(target.aspect) } : {}),
    timings: new Timings(),
  }));
  const { elements, proposals } = await vlm.engine.crop(
    ready,
    vlmTargets,
    { count, votes, ...(request.instruct ? { instruction: request.instruct } : {}) },
    samplingOf(request),
    ready.timings,
    request.onProgress,
  );
  return targets.map((target, i) => {
    const { candidates, decision, transcript } = proposals[i]!;
    request.onConversation?.(
      transcript.map((part) => readable(part, vlm)),
      target,
    );
    const rects = candidates.map(({ boxInFrame }) =>
      cropRectangle({
        photo: ready.photo,
        box: ready.map.toPhoto.box(boxInFrame),
        keep,
        minAreaShare: minSize,
        ...(target.aspect ? { aspect: target.aspect } : {}),
        name: ready.photo.name,
      }),
    );
    return cropResultOf({
      ready,
      target,
      elements,
      candidates: candidates.map(({ why }, k) => ({ rect: rects[k]!, why, modelScore: decision.modelScores[k]! })),
      best: decision.best,
      why: decision.why,
      model: { ...vlm.identity, seed: request.seed ?? DEFAULTS.seed },
      timingsMs: ready.timings.with(vlmTargets[i]!.timings),
    });
  });
}

/** analyse alone; elements in oriented photo pixels. */
export async function analysePhoto(ready: ReadyPhoto, vlm: Vlm, request: PhotoRequest): Promise<Element[]> {
  const elements = await vlm.engine.analyse(ready, samplingOf(request), ready.timings);
  return elements.map((element) => ready.map.toPhoto.element(element));
}

export async function rankPhoto(
  ready: ReadyPhoto,
  rectangles: readonly CropRect[],
  vlm: Vlm,
  request: PhotoRequest,
): Promise<number[]> {
  const boxes = rectangles.map((rect) => ready.map.toFrame.box(keepBox(rect, ready.photo)));
  return (await vlm.engine.rank(ready, boxes, samplingOf(request), ready.timings)).logLikelihoods;
}

/**
 * The limits as the model's answer is held to them. A keep box is rounded outward so that a candidate that holds it in
 * the frame holds it in the photo; the ratio is that of frame pixels, which need not be square in the photo.
 */
function limitsInFrame(
  { photo, frame, map }: ReadyPhoto,
  { aspect }: Target,
  keep: readonly Box[],
  minShare: number,
): VlmTarget['limits'] {
  const kept = keep.map((box) => map.toFrame.box(box, 'outward'));
  return {
    frame,
    minShare,
    ...(aspect && {
      heightPerWidth: ((aspect.height / aspect.width) * (frame.height / photo.height)) / (frame.width / photo.width),
    }),
    ...(kept.length > 0 && {
      keep: kept.reduce((a, b): Box => [
        Math.min(a[0], b[0]),
        Math.min(a[1], b[1]),
        Math.max(a[2], b[2]),
        Math.max(a[3], b[3]),
      ]),
    }),
  };
}

function readable(part: TranscriptPart, vlm: Vlm): ConversationPart {
  if (part.kind === 'image') return { kind: 'image', image: { frame: part.image.frame, rgb: part.image.rgb } };
  return { kind: part.kind, text: vlm.model.detokenize(part.tokens), nTokens: part.tokens.length };
}

function samplingOf(request: PhotoRequest): SamplingOptions {
  const { temperature = DEFAULTS.temperature, seed = DEFAULTS.seed, signal } = request;
  if (!(temperature >= 0 && temperature <= 5)) throw usage('temperature', 'a number from 0 to 5', temperature);
  if (!Number.isSafeInteger(seed)) throw usage('seed', 'a whole number', seed);
  return { temperature, random: seededRandom(seed), ...(signal ? { signal } : {}) };
}

function keepBox({ x, y, width, height }: CropRect, photo: Size): Box {
  const whole = [x, y, width, height].every((value) => Number.isSafeInteger(value));
  if (!whole || width < 1 || height < 1 || x < 0 || y < 0 || x + width > photo.width || y + height > photo.height) {
    throw usage(
      'a box',
      `x,y,width,height in whole pixels inside the ${photo.width}x${photo.height} photo`,
      [x, y, width, height].join(','),
    );
  }
  return [x, y, x + width, y + height];
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw usage(name, `a whole number from ${least} to ${most}`, value);
  }
}

function usage(name: string, expected: string, received: string | number): FramewrightError {
  return new FramewrightError('USAGE', `Expected ${name} to be ${expected} but received ${received}`);
}
