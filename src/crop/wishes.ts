import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import type { Box, Point, Size } from '../base/geometry.js';
import { checkWhole } from '../base/options-check.js';
import { seededRandom } from '../base/random.js';
import type { CropRect, Fallback } from '../base/schema.js';
import type { Stage } from '../base/stages.js';
import { Timings } from '../base/timings.js';
import type { ConversationPart, EngineCall, EngineChain, EngineTarget, SamplingOptions } from '../engines/engine.js';
import type { Thought } from '../engines/thought.js';
import { parseBackground } from '../photo/background.js';
import type { CameraFocus } from '../photo/metadata/camera-focus.js';
import type { FitWishes } from './canvas.js';
import { parseMargin, type Margin } from './margin.js';
import type { Place } from './place.js';
import { CROP_DEFAULTS, MAX_CANDIDATES } from './defaults.js';
import { focusBox, type Focus } from './focus.js';
import { bestWayToKeep, waysToKeep, type ToKeep } from './kept.js';
import { largestShare, requireRoom } from './crop-rectangle.js';
import { limitsInFrame } from './limits-in-frame.js';
import type { ReadyPhoto } from './ready-photo.js';
import type { Straighten } from './straighten-wish.js';
import { cameraFocusInPhoto, focusInPhoto, keepInPhoto } from './straighten.js';
import { formatAspect, type Target } from './target.js';

/** What may be wished of the crops of a photo, whatever they are for. Each wish has this name from the flag to the prompt. */
export interface CropWishes extends FitWishes {
  /** Crops proposed, 1..20. Default 5. */
  readonly candidates?: number;
  /** Rotated orders of the candidates the decision is averaged over, 1..candidates. Default 1. */
  readonly votes?: number;
  /** Rectangles in oriented photo pixels no crop may cut; a tenth of their longer side around them too where there is room. */
  readonly keep?: readonly CropRect[];
  /**
   * Where the crop is to draw the eye: `[x, y]` in oriented photo pixels, or `{x, y}` as shares of width and height. It is
   * in every crop, in its middle third both ways where the photo's edges and boxes to keep allow.
   */
  readonly focus?: Focus;
  /**
   * Build the crop around the subject that the camera has noted (EXIF SubjectArea, SubjectLocation; else where the autofocus
   * was, in the notes of Canon's EOS cameras and Sony's), where there is no `focus`; given up where no crop of a ratio holds it beside what is to be kept. Default true.
   */
  readonly cameraFocus?: boolean;
  /**
   * Where in the crop its subject is to be, by thirds: the focus, else the middle of what is kept, of heads, or of what the
   * analysis names. As near as the photo's edges, boxes to keep and the least size allow; the notes say where that is not near.
   */
  readonly place?: Place;
  /**
   * Trim to the subject (as of `place`, where more than a point is known of it) with this room around it: `10%` of its longer
   * side, or `40px`. Of a ratio the smallest crop that holds both. The least size is then 0 unless `minSize` says another.
   */
  readonly margin?: string;
  /**
   * Least area of the crop as a share of the photo's, 0..1. Default 0.25, or three quarters of the largest crop of the ratio
   * where that is less: a ratio is refused for its size only where a size was asked for.
   */
  readonly minSize?: number;
  /**
   * Least score of the best candidate, 0..1, below which the next engine is asked, and after the last one `fallback` is
   * done. Default 0: an engine always decides. With n candidates, 1 / n means that it has no preference.
   */
  readonly minConfidence?: number;
  /**
   * The end of the chain, after the engines asked. Default `review`: the result's verdict says so, and its crop is what the
   * first engine that had one would have done.
   */
  readonly fallback?: Fallback;
  /**
   * Turn a tilted photo upright before anything else, and cut it to what is photo all over. `auto` where the horizon or
   * upright edges show clearly that it is tilted, by 0.3 to 10 degrees; a number turns it by so many degrees, clockwise,
   * -45..45. Rectangles and points given are those of the photo as it was; what results say counts in pixels of the straight
   * one. Default `off`.
   */
  readonly straighten?: Straighten;
  /**
   * Look for lines of printed text, and cut none that was found: each crop is moved, and where that takes it sized, until
   * every line is wholly inside or wholly outside, its edges by up to 15 % of its sides. Text that can then not be left whole
   * is cut, and the notes say where. Found is what surely is text; much is not. Default false.
   */
  readonly wholeText?: boolean;
  /** What to look for, in words: "keep the dog, more sky". */
  readonly instruct?: string;
  /** 0 (default) takes the most probable answer; above, answers are drawn with `seed`. */
  readonly temperature?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Called with the name of each stage as it begins. */
  readonly onProgress?: (stage: string) => void;
  /** Called once a crop with everything the model was told and shown and what it said, for diagnosis. */
  readonly onConversation?: (parts: readonly ConversationPart[], target: Target) => void;
  /**
   * Called with all that happens while a crop is thought about, as it does: each stage, image, prompt and token, and the
   * probabilities of the decision; and with the target it is for where it is for one only. What a photo that is held was
   * asked before is not thought about again.
   */
  readonly onThought?: (thought: Thought, target?: Target) => void;
  readonly signal?: AbortSignal;
}

/** As a photo that is held takes them. */
export interface HeldWishes extends CropWishes {
  /** Stages to do without. */
  readonly without?: readonly Stage[];
}

/** A target that crops of the photo can meet, with what they are held to. */
export interface SettledTarget {
  readonly target: Target;
  /** Least area of the crop as a share of the photo's. */
  readonly minSize: number;
  /** No crop for it may cut these, in oriented photo pixels: what is asked for and heads, with room, and what is around the focus. */
  readonly keep: readonly Box[];
  /** What had to be given up for it, to follow the photo's name. */
  readonly note?: string;
  /** No crop of its ratio holds what is to be kept: a larger one is put on a canvas, and the engine is not asked. */
  readonly isPadded?: boolean;
  /** In oriented photo pixels, as is what the camera says, where that is the focus. */
  readonly focus?: Point;
  readonly cameraFocus?: CameraFocus;
  readonly engineTarget: EngineTarget;
  readonly result?: undefined;
  readonly error?: undefined;
}

/** A target that no crop of the photo meets, and why. */
export interface FailedTarget {
  readonly target: Target;
  readonly result?: undefined;
  /** ASPECT_IMPOSSIBLE */
  readonly error: FramewrightError;
}

/** The wishes for one photo, checked, in its pixels and its frame's. */
export interface SettledWishes {
  /** Its targets are those of `targets` that the engine is to find crops for, in this order. */
  readonly call: EngineCall;
  /** One for each target asked for, in order. */
  readonly targets: readonly (SettledTarget | FailedTarget)[];
  /** Rectangles to keep, without room. */
  readonly asked: readonly Box[];
  readonly place: Place | undefined;
  readonly margin: Margin | undefined;
  readonly fit: FitWishes;
  readonly seed: number;
  readonly onConversation: CropWishes['onConversation'];
  readonly onThought: CropWishes['onThought'];
}

/**
 * Whether the wishes are in their ranges, and there is an engine for each.
 *
 * @throws FramewrightError USAGE
 */
export function checkWishes(engines: EngineChain, targets: readonly Target[], wishes: HeldWishes): void {
  const { candidates = CROP_DEFAULTS.candidates, votes = CROP_DEFAULTS.votes } = wishes;
  const { minSize, minConfidence = CROP_DEFAULTS.minConfidence } = wishes;
  checkWhole('candidates', candidates, 1, MAX_CANDIDATES);
  checkWhole('votes', votes, 1, MAX_CANDIDATES);
  if (minSize !== undefined && !isShare(minSize)) throw usage('minSize', 'a share of the photo from 0 to 1', minSize);
  if (!isShare(minConfidence)) throw usage('minConfidence', 'a number from 0 to 1', minConfidence);
  if (wishes.instruct && !engines.some(({ takesInstruction }) => takesInstruction)) {
    const model = engines.find(({ identity }) => identity)?.identity;
    const who = model ? `the model ${model.name}` : `the engine ${engines[0].name}`;
    throw new FramewrightError('USAGE', `${who} takes no instruction in words; choose a Qwen-VL with --model`);
  }
  settleFit(wishes, targets);
  requireScores(engines, votes, minConfidence);
  refuseIdleFallback(engines, wishes);
}

/**
 * @param wishes as `checkWishes` has found them in order
 * @throws FramewrightError USAGE for a wish outside the photo
 */
export function settleWishes(ready: ReadyPhoto, targets: readonly Target[], wishes: HeldWishes): SettledWishes {
  const { candidates = CROP_DEFAULTS.candidates, votes = CROP_DEFAULTS.votes, minSize } = wishes;
  const fit = settleFit(wishes, targets);
  const { photo, heads = [] } = ready;
  const { place } = wishes;
  const margin = wishes.margin === undefined ? undefined : parseMargin(wishes.margin);
  const wished = wishes.focus && focusInPhoto(wishes.focus, photo);
  const camera = wished || wishes.cameraFocus === false ? undefined : cameraFocusInPhoto(photo);
  const asked = (wishes.keep ?? []).map((rect) => keepInPhoto(rect, photo));
  const keep = { asked, heads: heads.map(({ box }) => box) };
  const settled = targets.map((target) =>
    settleTarget(ready, target, keep, { minSize: minSize ?? (margin && 0), fit, focus: wished, camera }),
  );
  const call = settleCall(ready, wishes);
  const request = {
    ...call.request,
    count: candidates,
    votes,
    ...(wishes.instruct ? { instruct: wishes.instruct } : {}),
  };
  const { seed = CROP_DEFAULTS.seed, onConversation, onThought } = wishes;
  const possible = settled.filter((each) => each.error === undefined).filter(({ isPadded = false }) => !isPadded);
  const engineTargets = possible.map(({ engineTarget }) => engineTarget);
  return {
    call: {
      ...call,
      request,
      targets: engineTargets,
      ...defined({ onThought: onThought && toldOf(possible, onThought) }),
    },
    targets: settled,
    ...{ asked, place, margin, fit, seed, onConversation, onThought },
  };
}

/** The engine knows its own targets only. */
function toldOf(
  settled: readonly SettledTarget[],
  onThought: NonNullable<CropWishes['onThought']>,
): NonNullable<EngineCall['onThought']> {
  return (thought, of) => {
    onThought(thought, settled.find(({ engineTarget }) => engineTarget === of)?.target);
  };
}

/** @throws FramewrightError USAGE for a wish that goes by scores, where no engine has any, or the model has none */
function requireScores(engines: EngineChain, votes: number, minConfidence: number): void {
  if (votes === 1 && minConfidence === 0) return;
  const scoreless = engines.filter(({ scores = true }) => !scores);
  const model = scoreless.find((engine) => engine.identity);
  if (!model && scoreless.length < engines.length) return;
  const { identity, name } = model ?? engines[0];
  const who = identity
    ? `the model ${identity.name} answers with one box and no scores`
    : `the engine ${name} has no scores`;
  const what = votes > 1 ? 'are no votes to average (--votes)' : 'is no confidence to hold it to (--min-confidence)';
  throw new FramewrightError('USAGE', `${who}: there ${what}`);
}

/** @throws FramewrightError USAGE for one that has been asked already */
function refuseIdleFallback(engines: EngineChain, { fallback }: HeldWishes): void {
  if (!engines.some(({ name }) => name === fallback)) return;
  throw new FramewrightError(
    'USAGE',
    `the fallback ${fallback} is one of the engines asked already; name it once, as --engine or as --fallback`,
  );
}

/** What is wished of each target alike. */
interface TargetWishes {
  readonly minSize: number | undefined;
  readonly fit: FitWishes;
  /** Asked for. */
  readonly focus: Point | undefined;
  /** Where none is asked for. */
  readonly camera: CameraFocus | undefined;
}

function settleTarget(
  ready: ReadyPhoto,
  target: Target,
  wanted: ToKeep,
  wishes: TargetWishes,
): SettledTarget | FailedTarget {
  const { focus = wishes.camera?.point } = wishes;
  const around = focus && focusBox(focus, ready.photo);
  const settled = settleAround(ready, target, { ...wanted, ...defined({ focus: around }) }, wishes);
  const isMet = settled.error === undefined && !settled.isPadded;
  // What a camera notes is no wish: no ratio is lost for it.
  if (wishes.camera && !isMet) return settleAround(ready, target, wanted, wishes);
  return settled.error ? settled : { ...settled, ...defined({ focus, cameraFocus: wishes.camera }) };
}

function settleAround(
  ready: ReadyPhoto,
  target: Target,
  wanted: ToKeep,
  { minSize: asked, fit }: TargetWishes,
): SettledTarget | FailedTarget {
  const { aspect } = target;
  const minSize = asked ?? defaultMinSize(target, ready.photo);
  const mayPad = aspect !== undefined && fit.fit !== undefined && fit.fit !== 'crop';
  let error: FramewrightError | undefined;
  // On a canvas there is room for all heads: none is given up for the ratio.
  for (const { boxes: keep, note } of waysToKeep(wanted, mayPad ? {} : target, ready.photo)) {
    try {
      // Also in the photo's own pixels, so that no room around what is kept makes a crop fail.
      requireRoom({ photo: ready.photo, keep, minSize, name: ready.photo.name, ...defined({ aspect }) });
      const limits = limitsInFrame(ready, target, keep, minSize);
      const engineTarget = { limits, timings: new Timings(), ...defined({ aspect: aspect && formatAspect(aspect) }) };
      return { target, minSize, keep, engineTarget, ...defined({ note }) };
    } catch (thrown) {
      if (!isImpossible(thrown)) throw thrown;
      error = thrown;
    }
  }
  if (mayPad) return paddedTarget(ready, target, wanted, minSize);
  return { target, error: error! };
}

/** With all the room around what is kept: the canvas takes it. */
function paddedTarget(ready: ReadyPhoto, target: Target, wanted: ToKeep, minSize: number): SettledTarget {
  const { boxes: keep } = bestWayToKeep(wanted, ready.photo);
  const limits = { frame: ready.space, minSize: 0 };
  return { target, minSize, keep, isPadded: true, engineTarget: { limits, timings: new Timings() } };
}

/** @throws FramewrightError USAGE */
export function settleFit({ fit, background, enlarge }: FitWishes, targets: readonly Target[]): FitWishes {
  if (fit === undefined || fit === 'crop') {
    const idle = background !== undefined ? 'background' : enlarge ? 'enlarge' : undefined;
    if (idle === undefined) return {};
    throw new FramewrightError('USAGE', `${idle} is for what is put on a canvas; ask for fit pad or blur (--fit)`);
  }
  if (background !== undefined && fit === 'blur') {
    throw new FramewrightError('USAGE', 'a blurred canvas has no background colour; leave it out, or ask for fit pad');
  }
  if (targets.every(({ aspect }) => aspect === undefined)) {
    throw new FramewrightError('USAGE', `fit ${fit} fills up a ratio or size, and none is asked for; say which`);
  }
  return {
    fit,
    ...defined({ background: background === undefined ? undefined : parseBackground(background), enlarge }),
  };
}

/** Nobody asked for it, so that it refuses no ratio, and leaves the crops of a narrow one room to differ in size. */
function defaultMinSize({ aspect }: Target, photo: Size): number {
  if (!aspect) return CROP_DEFAULTS.minSize;
  return Math.min(CROP_DEFAULTS.minSize, LEAST_OF_LARGEST * largestShare(aspect, photo));
}

/** Above a third of the photo the common default is the smaller one. */
const LEAST_OF_LARGEST = 3 / 4;

export function isImpossible(error: unknown): error is FramewrightError {
  return error instanceof FramewrightError && error.code === 'ASPECT_IMPOSSIBLE';
}

/** A call that proposes nothing. */
export function settleCall(ready: ReadyPhoto, { without, onProgress, ...wishes }: HeldWishes): EngineCall {
  return {
    request: { count: 1, votes: 1, ...defined({ without }) },
    targets: [],
    sampling: samplingOf(wishes),
    timings: ready.timings,
    ...defined({ onProgress }),
  };
}

function samplingOf(wishes: Pick<CropWishes, 'temperature' | 'seed' | 'signal'>): SamplingOptions {
  const { temperature = CROP_DEFAULTS.temperature, seed = CROP_DEFAULTS.seed, signal } = wishes;
  if (!(temperature >= 0 && temperature <= 5)) throw usage('temperature', 'a number from 0 to 5', temperature);
  if (!Number.isSafeInteger(seed)) throw usage('seed', 'a whole number', seed);
  return { temperature, random: seededRandom(seed), ...defined({ signal }) };
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

function usage(name: string, expected: string, received: string | number): FramewrightError {
  return new FramewrightError('USAGE', `Expected ${name} to be ${expected} but received ${received}`);
}
