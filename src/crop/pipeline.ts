import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import type { CropRect, CropResult, Element } from '../base/schema.js';
import type { EngineCall, EngineChain, EngineSteps, PhotoEngine } from '../engines/engine.js';
import type { Photo } from '../photo/decode.js';
import { boxOfSize } from '../base/geometry.js';
import { sampledFrames } from '../photo/animation.js';
import type { Carry } from './carry/carry.js';
import type { CropOutcome } from './crop-outcome.js';
import { cropResult, withCrop } from './crop-result.js';
import { tellCandidates, tellElements } from './tell-thoughts.js';
import { Course, isPassedOn, linksOf, type Link } from './engine-chain.js';
import { rectangleForAll } from './serve-frames.js';
import { readyFor, type ReadyPhoto } from './ready-photo.js';
import { keepBox } from './keep-box.js';
import type { Target } from './target.js';
import { textOf } from './text-lines.js';
import { textNote, wholeTextCrop } from './whole-text.js';
import {
  checkWishes,
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
  /** The photo, upright in sRGB, with the frame that the first engine looks at. */
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
  /** Asked in turn, the next where the one before has no crop that counts. */
  readonly engines: EngineChain;
  readonly wishes: HeldWishes;
  /** Waits until the engine has time for a photo. Default: it always has. */
  readonly turn?: (ready: ReadyPhoto, engine: PhotoEngine) => Promise<AsyncDisposable>;
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
 * A target that no crop of the photo meets costs only its own. What one engine has no crop for is left to the next one.
 *
 * @throws FramewrightError INPUT_*, USAGE; CONTEXT_FULL, ANSWER_INVALID, NOTHING_FOUND of the first engine where no other has
 *   a crop; ASPECT_IMPOSSIBLE if none of the targets can be met; the signal's reason
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
  const { targets: settled } = settleWishes(ready, job.targets, job.wishes);
  const text = textOf(ready);
  return first.map((outcome, i) => {
    const limits = settled[i]!;
    // A canvas is made for the crop that lies on it, and holds one frame.
    if (outcome.error || limits.error || outcome.result.canvas) return outcome;
    const crops = perFrame.flatMap((outcomes) => outcomes[i]!.result?.crop ?? []);
    const all = rectangleForAll(crops, ready.photo, limits);
    const crop = wholeTextCrop(all, text, {
      photo: ready.photo,
      ...limits,
      ...defined({ aspect: limits.target.aspect }),
    });
    const note = `is an animation of ${nFrames} frames: the crop is one for all of them, of which ${pages.length} were looked at`;
    const notes = [note, textNote(crop, text) ?? []].flat();
    return { ...outcome, result: withCrop(outcome.result, crop, { photo: ready.photo, focus: limits.focus, notes }) };
  });
}

/** A target that no crop of the photo meets is its own outcome; all of them are an error. */
async function cropReady(job: Omit<CropJob, 'decode' | 'encode'>, ready: ReadyPhoto): Promise<TargetOutcome[]> {
  checkWishes(job.engines, job.targets, job.wishes);
  const targets = job.carry ? await carryOver(job, job.carry, ready) : await askEngines(job, ready);
  const notImpossible = targets.find(({ error }) => error !== undefined && !isImpossible(error));
  if (notImpossible) throw notImpossible.error!;
  if (targets.every(({ error }) => error !== undefined)) throw impossibleTogether(failedOf(targets));
  return targets;
}

/** Each engine of the chain in turn, for the targets that none before it has a crop for. */
async function askEngines(job: Omit<CropJob, 'decode' | 'encode'>, ready: ReadyPhoto): Promise<TargetOutcome[]> {
  const links = linksOf(job.engines, job.wishes);
  const courses = job.targets.map((target) => ({ target, course: new Course(job.wishes) }));
  const failed: FailedTarget[] = [];
  for (const link of links) {
    const open = courses.filter(
      ({ target, course }) => course.isOpen && !failed.some((each) => each.target === target),
    );
    if (open.length === 0) break;
    const own = await framedFor(link.engine, ready, job);
    const answers = await askEngine(job, link, own, {
      targets: open.map(({ target }) => target),
      isAlone: links.length === 1,
    });
    for (const answer of answers) {
      const { course } = open.find(({ target }) => target === answer.target)!;
      if (answer.result) course.take(link, answer.result);
      else if (answer.isUnmeetable) failed.push({ target: answer.target, error: answer.error });
      else course.pass(link, answer.error, answer.detail);
    }
  }
  return courses.map(({ target, course }): TargetOutcome => {
    const end = failed.find((each) => each.target === target)?.error ?? course.end();
    return end instanceof FramewrightError ? { target, error: end } : { target, result: end };
  });
}

/** The crops of another photo, or where they cannot be taken over the engines', with why. */
async function carryOver(
  job: Omit<CropJob, 'decode' | 'encode'>,
  carry: Carry,
  ready: ReadyPhoto,
): Promise<TargetOutcome[]> {
  const wishes = settleWishes(ready, job.targets, job.wishes);
  const { cropFor, note } = await carry(ready, wishes.fit);
  if (cropFor) return carriedOver(cropFor, job, ready, wishes);
  const asked = await askEngines(job, ready);
  return note === undefined ? asked : asked.map((outcome) => withNote(outcome, note));
}

/** Taken over from another photo; where only a canvas meets a target, what is to be kept says where, as ever. */
function carriedOver(
  cropFor: (settled: SettledTarget) => CropResult,
  { engines: [engine] }: EngineJob,
  ready: ReadyPhoto,
  wishes: SettledWishes,
): TargetOutcome[] {
  return wishes.targets.map((settled): TargetOutcome => {
    if (settled.error) return settled;
    const { target, isPadded = false } = settled;
    try {
      const result = isPadded
        ? paddedResult({ engine, ready, wishes, settled, analysed: { elements: [] } })
        : cropFor(settled);
      return { target, result };
    } catch (error) {
      if (isImpossible(error)) return { target, error };
      throw error;
    }
  });
}

function withNote(outcome: TargetOutcome, note: string): TargetOutcome {
  if (outcome.error) return outcome;
  return { ...outcome, result: { ...outcome.result, notes: [...(outcome.result.notes ?? []), note] } };
}

/** What one engine has made of one target, or why it has made nothing of it. */
type Answer =
  | { readonly target: Target; readonly result: CropResult; readonly error?: undefined }
  | {
      readonly target: Target;
      readonly result?: undefined;
      readonly error: FramewrightError;
      /** In short, beside the result of another engine. Default: the error's message. */
      readonly detail?: string;
      /** No crop of the photo meets it: another engine need not be asked. */
      readonly isUnmeetable?: boolean;
    };

interface Asked {
  readonly targets: readonly Target[];
  /** There is no other engine to leave an error to, or that has had a crop. */
  readonly isAlone: boolean;
}

/** One engine of the chain and the targets that are open: the method. */
async function askEngine(
  job: Omit<CropJob, 'decode' | 'encode' | 'wishes'>,
  { engine, wishes: wished }: Link,
  ready: ReadyPhoto,
  { targets, isAlone }: Asked,
): Promise<Answer[]> {
  const wishes = settleWishes(ready, targets, wished);
  const settled = wishes.targets.filter((each) => each.error === undefined);
  const possible = settled.filter(({ isPadded = false }) => !isPadded);
  const unmeetable = failedOf(wishes.targets).map((each) => ({ ...each, isUnmeetable: true }));
  if (settled.length === 0) return unmeetable;
  const nothing = engine.nothingIn?.(ready);
  if (nothing !== undefined) {
    const error = nothingFound(nothing, ready);
    return [...settled.map(({ target }) => ({ target, error, detail: nothing })), ...unmeetable];
  }
  const outcome = { ready, wishes, engine };
  const passOn = async <T>(work: () => Promise<T>, instead: (error: FramewrightError) => T): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const error = engine.explain?.(thrown) ?? thrown;
      if (isImpossible(error) || (isPassedOn(error) && !isAlone)) return instead(error);
      throw thrown;
    }
  };
  const answers = await passOn<Answer[]>(
    () =>
      withSteps({ ...job, engine }, ready, wishes.call, async (steps) => {
        const analysed = await steps.analyse(); // eq. (1): the composition
        tellElements({ ...outcome, analysed });
        const padded = settled
          .filter(({ isPadded = false }) => isPadded)
          .map((each) => ({ target: each.target, result: paddedResult({ ...outcome, settled: each, analysed }) }));
        if (possible.length === 0) return padded;
        const enhanced = await steps.enhance(analysed); // eq. (2): drawn on the photo
        const found = await steps.forEachTarget(enhanced, (from, target, i) =>
          passOn<Answer>(
            async () => {
              const own = { ...outcome, settled: possible[i]!, analysed };
              const proposed = await steps.propose(from, target); // candidates, seen on the enhanced photo
              tellCandidates({ ...own, proposed });
              const decided = await steps.decide(proposed, target); // the best of them
              return { target: own.settled.target, result: cropResult({ ...own, proposed, decided }) };
            },
            // What fits the frame may still fail the photo, whose pixels are finer.
            (error) => ({ target: possible[i]!.target, error }),
          ),
        );
        return [...found, ...padded];
      }),
    (error) => settled.map(({ target }) => ({ target, error })),
  );
  return [...answers, ...unmeetable];
}

function nothingFound(what: string, { photo }: ReadyPhoto): FramewrightError {
  return new FramewrightError(
    'NOTHING_FOUND',
    `${photo.name}: ${what}; name another engine behind, to be asked then: --engine faces,rules`,
  );
}

const WHY_PADDED = 'No crop of this ratio holds all that is to be kept; the canvas shows the smallest part that does.';

/** Of a target that no crop meets and a canvas does: what is to be kept says where, and no engine is asked. */
function paddedResult(outcome: Omit<CropOutcome, 'proposed' | 'decided'>): CropResult {
  const candidates = [{ boxInFrame: boxOfSize(outcome.ready.space), why: WHY_PADDED }];
  const decision = { best: 0, why: WHY_PADDED, modelScores: [1] };
  return cropResult({ ...outcome, proposed: { candidates }, decided: { decision } });
}

function failedOf(targets: readonly (SettledTarget | TargetOutcome)[]): FailedTarget[] {
  return targets.filter((each) => each.error !== undefined);
}

/** One error for all the targets that cannot be met, of which there is at least one. */
function impossibleTogether(failed: readonly FailedTarget[]): FramewrightError {
  const [first, ...others] = failed.map(({ error }) => error);
  if (others.length === 0) return first!;
  const message = [first!, ...others].map((error) => error.message).join('; ');
  return new FramewrightError('ASPECT_IMPOSSIBLE', message, { cause: first });
}

/** Analyse alone, by the first engine of the chain that names a composition; elements in oriented photo pixels. */
export async function analysePhoto(ready: ReadyPhoto, job: EngineJob): Promise<Element[]> {
  const naming = job.engines.filter(({ namesElements }) => namesElements);
  if (naming.length === 0) throw cannot(job.engines[0], 'names no composition');
  for (const engine of naming) {
    const own = await framedFor(engine, ready, job);
    if (engine.nothingIn?.(own) !== undefined) continue;
    const { elements } = await withSteps({ ...job, engine }, own, settleCall(own, job.wishes), (steps) =>
      steps.analyse(),
    );
    return elements.map((element) => own.map.toPhoto.element(element));
  }
  return [];
}

/** Natural log-likelihood of each rectangle (oriented photo pixels) as the crop the model of the chain would propose first. */
export async function rankPhoto(ready: ReadyPhoto, rects: readonly CropRect[], job: EngineJob): Promise<number[]> {
  const engine = job.engines.find(({ name }) => name === 'vlm') ?? job.engines[0];
  const own = await framedFor(engine, ready, job);
  const boxes = rects.map((rect) => own.map.toFrame.box(keepBox(rect, own.photo)));
  return withSteps({ ...job, engine }, own, settleCall(own, job.wishes), async (steps) => {
    if (!steps.rank) throw cannot(engine, 'has no likelihoods to rank boxes by');
    return steps.rank(await steps.enhance(await steps.analyse()), boxes);
  });
}

/** The photo is framed for the first engine of the chain. */
async function framedFor(engine: PhotoEngine, ready: ReadyPhoto, { engines, wishes }: EngineJob): Promise<ReadyPhoto> {
  return engine === engines[0] ? ready : readyFor(ready, engine, defined({ signal: wishes.signal }));
}

/** The engine's steps on a photo, for as long as the work takes. */
async function withSteps<T>(
  { engine, turn }: Pick<EngineJob, 'turn'> & { readonly engine: PhotoEngine },
  ready: ReadyPhoto,
  call: EngineCall,
  work: (steps: EngineSteps) => Promise<T>,
): Promise<T> {
  await using _turn = await turn?.(ready, engine);
  try {
    await using steps = engine.takeOn(ready, call);
    return await work(steps);
  } catch (error) {
    throw engine.explain?.(error) ?? error;
  }
}

function cannot(engine: PhotoEngine, what: string): FramewrightError {
  if (!engine.identity) return new FramewrightError('USAGE', `the engine ${engine.name} ${what}; use the engine vlm`);
  return new FramewrightError(
    'USAGE',
    `the model ${engine.identity.name} ${what}: it is not asked for any; use another`,
  );
}
