import { CandidateSpace } from '../vlm/propose/candidate-space.js';
import type { CandidateLimits } from '../engines/limits.js';
import type { SamplingOptions, ConversationPart, EngineTarget, PhotoEngine } from '../engines/engine.js';
import { cropResultOf } from './crop-result.js';
import { FramewrightError } from '../base/errors.js';
import type { Box, Size } from '../base/geometry.js';
import { seededRandom } from '../base/random.js';
import { plainEngine } from '../engines/plain-engine.js';
import type { CropRect, CropResult, Element, Fallback } from '../base/schema.js';
import type { Stage } from '../base/stages.js';
import { cropRectangle } from './crop-rectangle.js';
import { focusBox, focusPoint, slideToFocus, type Focus } from './focus.js';
import { formatAspect, type Target } from './target.js';
import { Timings } from '../base/timings.js';
import type { ReadyPhoto } from './ready-photo.js';

/** What is asked for one photo, whatever the targets; see CropOptions. */
export interface PhotoRequest {
  readonly candidates?: number;
  readonly votes?: number;
  readonly keep?: readonly CropRect[];
  readonly focus?: Focus;
  /** Found in this photo, in oriented photo pixels; none may be cut. */
  readonly heads?: readonly Box[];
  readonly minSize?: number;
  readonly minConfidence?: number;
  readonly fallback?: Fallback;
  readonly instruct?: string;
  readonly temperature?: number;
  readonly seed?: number;
  /** Stages to do without; only for a photo that is held. */
  readonly without?: readonly Stage[];
  readonly onProgress?: (stage: string) => void;
  /** Called once a crop with everything the model was told and shown and what it said, for diagnosis. */
  readonly onConversation?: (parts: readonly ConversationPart[], target: Target) => void;
  readonly signal?: AbortSignal;
}

const DEFAULTS = { candidates: 5, votes: 1, minSize: 0.25, temperature: 0, seed: 0 } as const;
const MAX_CANDIDATES = 20;

/** One result for each target; where the engine is not sure enough, what the request says to do then. */
export async function cropPhoto(
  ready: ReadyPhoto,
  targets: readonly Target[],
  engine: PhotoEngine,
  request: PhotoRequest,
): Promise<CropResult[]> {
  const { minConfidence = 0, fallback = 'review' } = request;
  if (!(minConfidence >= 0 && minConfidence <= 1)) throw usage('minConfidence', 'a number from 0 to 1', minConfidence);
  const results = await cropWith(engine, ready, targets, request).catch((error: unknown) => {
    throw sayHeads(error, request);
  });
  return Promise.all(
    results.map(async (result, i): Promise<CropResult> => {
      if (result.confidence! >= minConfidence) return result;
      if (fallback === 'review') return { ...result, verdict: 'review', fallback };
      return instead(result, ready, targets[i]!, fallback, request);
    }),
  );
}

/** Boxes nobody asked for by hand are named where they are what makes a crop impossible. */
function sayHeads(error: unknown, { heads = [] }: PhotoRequest): unknown {
  if (!(error instanceof FramewrightError) || error.code !== 'ASPECT_IMPOSSIBLE' || heads.length === 0) return error;
  const message = `${error.message}; with faces, ${heads.length} heads count as boxes to keep`;
  return new FramewrightError('ASPECT_IMPOSSIBLE', message, { cause: error });
}

/** Another engine's crop, with what the one asked has seen and how sure it was. */
async function instead(
  unsure: CropResult,
  ready: ReadyPhoto,
  target: Target,
  fallback: Exclude<Fallback, 'review'>,
  { instruct: _, onConversation: __, ...request }: PhotoRequest,
): Promise<CropResult> {
  const engine = plainEngine(fallback === 'keep' ? 'full' : fallback);
  const [other] = await cropWith(engine, ready, [target], request);
  const { crop, focalPoint, verdict, timingsMs } = other!;
  const shared = { confidence: unsure.confidence, fallback, timingsMs: { ...unsure.timingsMs, ...timingsMs } };
  // To keep the photo is to make nothing of the candidates, which stay what they were.
  if (fallback === 'keep') return { ...unsure, ...shared, crop, focalPoint, verdict };
  return { ...other!, ...shared, analysis: unsure.analysis };
}

/** analyse -> enhance -> propose -> decide -> crop: one result for each target. */
async function cropWith(
  engine: PhotoEngine,
  ready: ReadyPhoto,
  targets: readonly Target[],
  request: PhotoRequest,
): Promise<CropResult[]> {
  const { candidates: count = DEFAULTS.candidates, votes = DEFAULTS.votes, minSize = DEFAULTS.minSize } = request;
  checkRange('candidates', count, 1, MAX_CANDIDATES);
  checkRange('votes', votes, 1, MAX_CANDIDATES);
  if (!(minSize >= 0 && minSize <= 1)) throw usage('minSize', 'a share of the photo from 0 to 1', minSize);
  if (request.instruct && !engine.takesInstruction) {
    const who = engine.identity ? `the model ${engine.identity.name}` : `the engine ${engine.name}`;
    throw new FramewrightError('USAGE', `${who} takes no instruction in words; choose a Qwen2.5-VL with --model`);
  }
  const focus = request.focus && focusPoint(request.focus, ready.photo);
  const keep = [
    ...(request.keep ?? []).map((rect) => keepBox(rect, ready.photo)),
    ...(request.heads ?? []),
    ...(focus ? [focusBox(focus, ready.photo)] : []),
  ];

  const engineTargets = targets.map((target): EngineTarget => ({
    limits: limitsInFrame(ready, target, keep, minSize),
    ...(target.aspect ? { aspect: formatAspect(target.aspect) } : {}),
    timings: new Timings(),
  }));
  const { elements, crops } = await engine.crop(
    ready,
    engineTargets,
    {
      count,
      votes,
      ...(request.instruct ? { instruction: request.instruct } : {}),
      ...(request.without ? { without: request.without } : {}),
    },
    samplingOf(request),
    ready.timings,
    request.onProgress,
  );
  return targets.map((target, i) => {
    const { candidates, decision, conversation } = crops[i]!;
    if (request.onConversation && conversation) request.onConversation(conversation(), target);
    const rects = candidates.map(({ boxInFrame }) => {
      const rect = cropRectangle({
        photo: ready.photo,
        box: ready.map.toPhoto.box(boxInFrame),
        keep,
        minAreaShare: minSize,
        ...(target.aspect ? { aspect: target.aspect } : {}),
        name: ready.photo.name,
      });
      return focus ? slideToFocus(rect, focus, keep, ready.photo) : rect;
    });
    return cropResultOf({
      ready,
      target,
      elements,
      ...(request.heads ? { heads: request.heads } : {}),
      ...(focus ? { focus } : {}),
      candidates: candidates.map(({ why }, k) => ({ rect: rects[k]!, why, modelScore: decision.modelScores[k]! })),
      best: decision.best,
      why: decision.why,
      engine: engine.name,
      ...(engine.identity && { model: { ...engine.identity, seed: request.seed ?? DEFAULTS.seed } }),
      timingsMs: ready.timings.with(engineTargets[i]!.timings),
    });
  });
}

/** analyse alone; elements in oriented photo pixels. */
export async function analysePhoto(ready: ReadyPhoto, engine: PhotoEngine, request: PhotoRequest): Promise<Element[]> {
  if (!engine.analyse) throw cannot(engine, 'names no composition');
  const elements = await engine.analyse(ready, samplingOf(request), ready.timings);
  return elements.map((element) => ready.map.toPhoto.element(element));
}

export async function rankPhoto(
  ready: ReadyPhoto,
  rectangles: readonly CropRect[],
  engine: PhotoEngine,
  request: PhotoRequest,
): Promise<number[]> {
  if (!engine.rank) throw cannot(engine, 'has no likelihoods to rank boxes by');
  const boxes = rectangles.map((rect) => ready.map.toFrame.box(keepBox(rect, ready.photo)));
  return engine.rank(ready, boxes, samplingOf(request), ready.timings, request.without);
}

/**
 * The limits as the model's answer is held to them. A keep box is rounded outward so that a candidate that holds it in
 * the frame holds it in the photo; the ratio is that of frame pixels, which need not be square in the photo.
 *
 * @throws FramewrightError ASPECT_IMPOSSIBLE if no crop of the photo holds to them
 */
function limitsInFrame(
  { photo, frame, map }: ReadyPhoto,
  { aspect }: Target,
  keep: readonly Box[],
  minShare: number,
): CandidateLimits {
  const kept = keep.map((box) => map.toFrame.box(box, 'outward'));
  const limits: CandidateLimits = {
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
  if (!new CandidateSpace(limits, [], 0).isEmpty()) return limits;
  const box: Box = [0, 0, photo.width, photo.height];
  cropRectangle({ photo, box, keep, minAreaShare: minShare, ...(aspect ? { aspect } : {}), name: photo.name });
  return withSlack(limits);
}

/** What just fits the photo may fail in the frame by its coarser pixels; each crop is held to the limits in the photo. */
function withSlack(limits: CandidateLimits): CandidateLimits {
  const { frame, keep, minShare } = limits;
  for (let slack = 1; ; slack++) {
    const share = Math.max(0, minShare - slack * (1 / frame.width + 1 / frame.height));
    const inner: Box | undefined = keep && [keep[0] + slack, keep[1] + slack, keep[2] - slack, keep[3] - slack];
    const isLeft = inner && inner[0] < inner[2] && inner[1] < inner[3];
    const { keep: _, ...rest } = limits;
    const relaxed = { ...rest, minShare: share, ...(isLeft ? { keep: inner } : {}) };
    if ((share === 0 && !isLeft) || !new CandidateSpace(relaxed, [], 0).isEmpty()) return relaxed;
  }
}

function cannot(engine: PhotoEngine, what: string): FramewrightError {
  return new FramewrightError('USAGE', `the engine ${engine.name} ${what}; use the engine vlm`);
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
