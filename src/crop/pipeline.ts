import { FramewrightError } from '../base/errors.js';
import type { CropRect, CropResult, Element, Fallback } from '../base/schema.js';
import type { EngineCall, EngineSteps, PhotoEngine } from '../engines/engine.js';
import { plainEngine } from '../engines/plain-engine.js';
import type { Photo } from '../photo/decode.js';
import { cropResult } from './crop-result.js';
import { CROP_DEFAULTS } from './defaults.js';
import { namingHeads } from './heads.js';
import type { ReadyPhoto } from './ready-photo.js';
import type { Target } from './target.js';
import { keepBox, settleCall, settleWishes, type HeldWishes } from './wishes.js';

/** One photo, and what is to become of it. */
export interface CropJob<Encoded = undefined> extends EngineJob {
  /** The photo, upright in sRGB, with the frame its engine looks at. */
  readonly decode: () => Promise<ReadyPhoto>;
  /** What the crops are for: one result each. */
  readonly targets: readonly Target[];
  /** Makes files of the crops, or their bytes. */
  readonly encode?: (photo: Photo, results: readonly CropResult[]) => Promise<Encoded>;
}

interface EngineJob {
  readonly engine: PhotoEngine;
  readonly wishes: HeldWishes;
  /** Waits until the engine has time for a photo. Default: it always has. */
  readonly turn?: (ready: ReadyPhoto) => Promise<AsyncDisposable>;
}

export interface CroppedPhoto<Encoded = undefined> {
  readonly photo: Photo;
  /** In the order of the targets. */
  readonly results: readonly CropResult[];
  readonly encoded: Encoded | undefined;
}

/**
 * CROP (arXiv 2605.12545), from the file to the file, as the paper draws it: everything else hangs below these steps.
 *
 * @throws FramewrightError INPUT_*, USAGE, ASPECT_IMPOSSIBLE, CONTEXT_FULL, ANSWER_INVALID; the signal's reason
 */
export async function cropPhoto<Encoded = undefined>(job: CropJob<Encoded>): Promise<CroppedPhoto<Encoded>> {
  const ready = await job.decode();
  const wishes = settleWishes(ready, job.targets, job.engine, job.wishes);
  const crops = await withSteps(job, ready, wishes.call, async (steps) => {
    const analysed = await steps.analyse(); // eq. (1): the composition
    const enhanced = await steps.enhance(analysed); // eq. (2): drawn on the photo
    return steps.forEachTarget(enhanced, async (from, target, i) => {
      const proposed = await steps.propose(from, target); // candidates, seen on the enhanced photo
      const decided = await steps.decide(proposed, target); // the best of them
      return cropResult({
        ...job,
        ready,
        wishes,
        target: job.targets[i]!,
        engineTarget: target,
        analysed,
        proposed,
        decided,
      });
    });
  });
  const results = await Promise.all(crops.map((crop, i) => settleUnsure(crop, ready, job.targets[i]!, job.wishes)));
  return { photo: ready.photo, results, encoded: await job.encode?.(ready.photo, results) };
}

/** Analyse alone; elements in oriented photo pixels. */
export async function analysePhoto(ready: ReadyPhoto, job: EngineJob): Promise<Element[]> {
  if (!job.engine.namesElements) throw cannot(job.engine, 'names no composition');
  const { elements } = await withSteps(job, ready, settleCall(ready, job.wishes), (steps) => steps.analyse());
  return elements.map((element) => ready.map.toPhoto.element(element));
}

/** Natural log-likelihood of each rectangle (oriented photo pixels) as the crop the engine would propose first. */
export async function rankPhoto(ready: ReadyPhoto, rects: readonly CropRect[], job: EngineJob): Promise<number[]> {
  const boxes = rects.map((rect) => ready.map.toFrame.box(keepBox(rect, ready.photo)));
  return withSteps(job, ready, settleCall(ready, job.wishes), async (steps) => {
    if (!steps.rank) throw cannot(job.engine, 'has no likelihoods to rank boxes by');
    return steps.rank(await steps.enhance(await steps.analyse()), boxes);
  });
}

/** The engine's steps on a photo, for as long as the work takes. */
async function withSteps<T>(
  { engine, turn }: EngineJob,
  ready: ReadyPhoto,
  call: EngineCall,
  work: (steps: EngineSteps) => Promise<T>,
): Promise<T> {
  await using _turn = await turn?.(ready);
  try {
    await using steps = engine.takeOn(ready, call);
    return await work(steps);
  } catch (error) {
    throw namingHeads(engine.explain?.(error) ?? error, ready);
  }
}

/** A crop the engine is not sure enough of becomes what the wishes say to do then. */
async function settleUnsure(
  result: CropResult,
  ready: ReadyPhoto,
  target: Target,
  { minConfidence = CROP_DEFAULTS.minConfidence, fallback = CROP_DEFAULTS.fallback, ...wishes }: HeldWishes,
): Promise<CropResult> {
  if (result.confidence! >= minConfidence) return result;
  if (fallback === 'review') return { ...result, verdict: 'review', fallback };
  return cropByFallback(result, ready, target, fallback, wishes);
}

/** Another engine's crop, with what the one asked has seen and how sure it was. */
async function cropByFallback(
  unsure: CropResult,
  ready: ReadyPhoto,
  target: Target,
  fallback: Exclude<Fallback, 'review'>,
  { instruct: _, onConversation: __, ...wishes }: HeldWishes,
): Promise<CropResult> {
  const engine = plainEngine(fallback === 'keep' ? 'full' : fallback);
  const { results } = await cropPhoto({ decode: () => Promise.resolve(ready), engine, targets: [target], wishes });
  const { crop, focalPoint, verdict, timingsMs } = results[0]!;
  const shared = { confidence: unsure.confidence, fallback, timingsMs: { ...unsure.timingsMs, ...timingsMs } };
  // To keep the photo is to make nothing of the candidates, which stay what they were.
  if (fallback === 'keep') return { ...unsure, ...shared, crop, focalPoint, verdict };
  return { ...results[0]!, ...shared, analysis: unsure.analysis };
}

function cannot(engine: PhotoEngine, what: string): FramewrightError {
  return new FramewrightError('USAGE', `the engine ${engine.name} ${what}; use the engine vlm`);
}
