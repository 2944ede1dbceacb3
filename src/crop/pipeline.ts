import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import type { CropRect, CropResult, Element, Fallback } from '../base/schema.js';
import type { EngineCall, EngineSteps, PhotoEngine } from '../engines/engine.js';
import { plainEngine } from '../engines/plain-engine.js';
import type { Photo } from '../photo/decode.js';
import { boxOfSize } from '../base/geometry.js';
import { sampledFrames } from '../photo/animation.js';
import type { Carry } from './carry/carry.js';
import type { CropOutcome } from './crop-outcome.js';
import { cropResult, withCrop } from './crop-result.js';
import { tellCandidates, tellElements } from './tell-thoughts.js';
import { CROP_DEFAULTS } from './defaults.js';
import { rectangleForAll } from './serve-frames.js';
import { readyFor, type ReadyPhoto } from './ready-photo.js';
import { keepBox } from './keep-box.js';
import type { Target } from './target.js';
import {
  isImpossible,
  settleCall,
  settleWishes,
  type FailedTarget,
  type HeldWishes,
  type SettledTarget,
  type SettledWishes,
} from './wishes.js';

/** One photo, and what is to become of it. */
export interface CropJob<Encoded = undefined> extends EngineJob {
  /** The photo, upright in sRGB, with the frame its engine looks at. */
  readonly decode: () => Promise<ReadyPhoto>;
  /** Another frame of an animation, made ready as the first. Default: the first alone says where to crop. */
  readonly anotherFrame?: (ready: ReadyPhoto, page: number) => Promise<ReadyPhoto>;
  /** What the crops are for: one result each. */
  readonly targets: readonly Target[];
  /** Takes the crops over from another photo, where that can be. Default: the engine finds them. */
  readonly carry?: Carry;
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
  /** Those made, in the order of the targets. */
  readonly results: readonly CropResult[];
  /** What became of each target, in order. */
  readonly targets: readonly TargetOutcome[];
  readonly encoded: Encoded | undefined;
}

/** The crop made for one target, or why there is none. */
export type TargetOutcome =
  { readonly target: Target; readonly result: CropResult; readonly error?: undefined } | FailedTarget;

/**
 * CROP (arXiv 2605.12545), from the file to the file, as the paper draws it: everything else hangs below these steps.
 *
 * A target that no crop of the photo meets costs only its own.
 *
 * @throws FramewrightError INPUT_*, USAGE, CONTEXT_FULL, ANSWER_INVALID; ASPECT_IMPOSSIBLE if none of the targets can be met;
 *   the signal's reason
 */
export async function cropPhoto<Encoded = undefined>(job: CropJob<Encoded>): Promise<CroppedPhoto<Encoded>> {
  const ready = await job.decode();
  const first = await cropReady(job, ready);
  const { anotherFrame } = job;
  const targets = ready.photo.animation && anotherFrame ? await serveFrames(job, ready, first, anotherFrame) : first;
  const results = targets.flatMap(({ result }) => (result ? [result] : []));
  return { photo: ready.photo, results, targets, encoded: await job.encode?.(ready.photo, results) };
}

/** Frames of an animation that are looked at; more would cost more and mostly show the same. */
const FRAMES_LOOKED_AT = 5;

/** The outcomes of the first frame with a rectangle that serves all that are looked at. */
async function serveFrames(
  { encode: _, ...job }: Omit<CropJob, 'encode'> & { readonly encode?: unknown },
  ready: ReadyPhoto,
  first: readonly TargetOutcome[],
  anotherFrame: NonNullable<CropJob['anotherFrame']>,
): Promise<TargetOutcome[]> {
  const { nFrames } = ready.photo.animation!;
  const pages = sampledFrames(nFrames, FRAMES_LOOKED_AT);
  const perFrame: (readonly TargetOutcome[])[] = [first];
  for (const page of pages.slice(1)) perFrame.push(await cropReady(job, await anotherFrame(ready, page)));
  const { targets: settled } = settleWishes(ready, job.targets, job.engine, job.wishes);
  return first.map((outcome, i) => {
    const limits = settled[i]!;
    // A canvas is made for the crop that lies on it, and holds one frame.
    if (outcome.error || limits.error || outcome.result.canvas) return outcome;
    const crops = perFrame.flatMap((outcomes) => outcomes[i]!.result?.crop ?? []);
    const crop = rectangleForAll(crops, ready.photo, limits);
    const note = `is an animation of ${nFrames} frames: the crop is one for all of them, of which ${pages.length} were looked at`;
    return { ...outcome, result: withCrop(outcome.result, crop, { photo: ready.photo, focus: limits.focus, note }) };
  });
}

/** A target that no crop of the photo meets is its own outcome; all of them are an error. */
async function cropReady(job: Omit<CropJob, 'decode' | 'encode'>, ready: ReadyPhoto): Promise<TargetOutcome[]> {
  const wishes = settleWishes(ready, job.targets, job.engine, job.wishes);
  const settled = wishes.targets.filter((each) => each.error === undefined);
  if (settled.length === 0) throw impossibleTogether(failedOf(wishes.targets));
  const carried = await job.carry?.(ready, wishes.fit);
  const made = carried?.cropFor
    ? await carriedOver(carried.cropFor, job, ready, wishes)
    : await cropByEngine(job, ready, wishes);
  const note = carried?.note;
  const noted = note === undefined ? made : made.map((outcome) => withNote(outcome, note));
  const targets = wishes.targets.map(
    (each) => noted.find(({ target }) => target === each.target) ?? failedOf([each])[0]!,
  );
  if (targets.every(({ error }) => error !== undefined)) throw impossibleTogether(failedOf(targets));
  return targets;
}

/** The targets that can be met, as the engine finds crops for them. */
async function cropByEngine(
  job: Omit<CropJob, 'decode' | 'encode'>,
  ready: ReadyPhoto,
  wishes: SettledWishes,
): Promise<TargetOutcome[]> {
  const settled = wishes.targets.filter((each) => each.error === undefined);
  const possible = settled.filter(({ isPadded = false }) => !isPadded);
  const crops = await withSteps(job, ready, wishes.call, async (steps) => {
    const analysed = await steps.analyse(); // eq. (1): the composition
    tellElements({ ready, wishes, analysed });
    const padded = settled
      .filter(({ isPadded = false }) => isPadded)
      .map((each) => paddedResult({ ...job, ready, wishes, settled: each, analysed }));
    if (possible.length === 0) return padded;
    const enhanced = await steps.enhance(analysed); // eq. (2): drawn on the photo
    const found = await steps.forEachTarget(enhanced, (from, target, i) =>
      unlessImpossible(possible[i]!.target, job.engine, async () => {
        const proposed = await steps.propose(from, target); // candidates, seen on the enhanced photo
        tellCandidates({ ...job, ready, wishes, settled: possible[i]!, analysed, proposed });
        const decided = await steps.decide(proposed, target); // the best of them
        return cropResult({ ...job, ready, wishes, settled: possible[i]!, analysed, proposed, decided });
      }),
    );
    return [...found, ...padded];
  });
  return Promise.all(crops.map((crop) => settleOutcome(crop, ready, job.wishes)));
}

/** The same, taken over from another photo; where only a canvas meets a target, what is to be kept says where, as ever. */
function carriedOver(
  cropFor: (settled: SettledTarget) => CropResult,
  { engine }: EngineJob,
  ready: ReadyPhoto,
  wishes: SettledWishes,
): Promise<TargetOutcome[]> {
  const settled = wishes.targets.filter((each) => each.error === undefined);
  return Promise.all(
    settled.map((each) =>
      unlessImpossible(each.target, engine, () => {
        const padded =
          each.isPadded && paddedResult({ engine, ready, wishes, settled: each, analysed: { elements: [] } });
        return Promise.resolve(padded ? padded.result! : cropFor(each));
      }),
    ),
  );
}

function withNote(outcome: TargetOutcome, note: string): TargetOutcome {
  if (outcome.error) return outcome;
  return { ...outcome, result: { ...outcome.result, notes: [...(outcome.result.notes ?? []), note] } };
}

const WHY_PADDED = 'No crop of this ratio holds all that is to be kept; the canvas shows the smallest part that does.';

/** Of a target that no crop meets and a canvas does: what is to be kept says where, and no engine is asked. */
function paddedResult(outcome: Omit<CropOutcome, 'proposed' | 'decided'>): TargetOutcome {
  const candidates = [{ boxInFrame: boxOfSize(outcome.ready.space), why: WHY_PADDED }];
  const decision = { best: 0, why: WHY_PADDED, modelScores: [1] };
  const result = cropResult({ ...outcome, proposed: { candidates }, decided: { decision } });
  return { target: outcome.settled.target, result };
}

function failedOf(targets: readonly (SettledTarget | TargetOutcome)[]): FailedTarget[] {
  return targets.filter((each) => each.error !== undefined);
}

/** What fits the frame may still fail the photo, whose pixels are finer. */
async function unlessImpossible(
  target: Target,
  engine: PhotoEngine,
  work: () => Promise<CropResult>,
): Promise<TargetOutcome> {
  try {
    return { target, result: await work() };
  } catch (thrown) {
    const error = engine.explain?.(thrown) ?? thrown;
    if (!isImpossible(error)) throw thrown;
    return { target, error };
  }
}

async function settleOutcome(outcome: TargetOutcome, ready: ReadyPhoto, wishes: HeldWishes): Promise<TargetOutcome> {
  if (outcome.error) return outcome;
  return { ...outcome, result: await settleUnsure(outcome.result, ready, outcome.target, wishes) };
}

/** One error for all the targets that cannot be met, of which there is at least one. */
export function impossibleTogether(failed: readonly FailedTarget[]): FramewrightError {
  const [first, ...others] = failed.map(({ error }) => error);
  if (others.length === 0) return first!;
  const message = [first!, ...others].map((error) => error.message).join('; ');
  return new FramewrightError('ASPECT_IMPOSSIBLE', message, { cause: first });
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
    throw engine.explain?.(error) ?? error;
  }
}

/** A crop the engine is not sure enough of becomes what the wishes say to do then. */
async function settleUnsure(
  result: CropResult,
  ready: ReadyPhoto,
  target: Target,
  { minConfidence = CROP_DEFAULTS.minConfidence, fallback = CROP_DEFAULTS.fallback, ...wishes }: HeldWishes,
): Promise<CropResult> {
  if (result.confidence === undefined || result.confidence >= minConfidence) return result;
  if (fallback === 'review') return { ...result, verdict: 'review', fallback };
  return cropByFallback(result, ready, target, fallback, wishes);
}

/** Another engine's crop, with what the one asked has seen and how sure it was. */
async function cropByFallback(
  unsure: CropResult,
  ready: ReadyPhoto,
  target: Target,
  fallback: Exclude<Fallback, 'review'>,
  { instruct: _, onConversation: __, onThought: ___, ...wishes }: HeldWishes,
): Promise<CropResult> {
  const engine = plainEngine(fallback === 'keep' ? 'full' : fallback);
  const decode = (): Promise<ReadyPhoto> => Promise.resolve(readyFor(ready, engine));
  // A photo that is kept as it is has its subject where it is.
  const { place, margin, ...ofWhole } = wishes;
  const asked = fallback === 'keep' ? ofWhole : wishes;
  const { results } = await cropPhoto({ decode, engine, targets: [target], wishes: asked });
  const { crop, canvas, cameraFocus, focalPoint, verdict, timingsMs } = results[0]!;
  const shared = { confidence: unsure.confidence, fallback, timingsMs: { ...unsure.timingsMs, ...timingsMs } };
  // To keep the photo is to make nothing of the candidates, which stay what they were.
  if (fallback === 'keep') {
    const { canvas: _canvas, cameraFocus: _cameraFocus, notes: saidOfUnsure, ...candidates } = unsure;
    const notes = place === undefined && margin === undefined ? saidOfUnsure : results[0]!.notes;
    return { ...candidates, ...shared, crop, ...defined({ canvas, cameraFocus, notes }), focalPoint, verdict };
  }
  return { ...results[0]!, ...shared, analysis: unsure.analysis };
}

function cannot(engine: PhotoEngine, what: string): FramewrightError {
  if (!engine.identity) return new FramewrightError('USAGE', `the engine ${engine.name} ${what}; use the engine vlm`);
  return new FramewrightError(
    'USAGE',
    `the model ${engine.identity.name} ${what}: it is not asked for any; use another`,
  );
}
