import { defined } from '../base/defined.js';
import { z } from 'zod';
import { FramewrightError, messageOf, type ErrorCode } from '../base/errors.js';
import type { Box } from '../base/geometry.js';
import { fileSha256 } from '../files/file-hash.js';
import type { Dataset, DatasetKind, MissingPhoto } from './datasets/types.js';
import { predictionKey, type Journal } from './journal.js';
import type { Photo } from './measures.js';
import type { Method, PresentPhoto } from './methods/types.js';
import type { Ratio } from './ratio-window.js';
import { predictionSchema, TASK_OF_KIND, type Prediction } from './prediction.js';

export interface RunOptions {
  /** Photos evaluated at once. Default 1. */
  readonly jobs?: number;
  /** Only photos of this split. */
  readonly split?: string;
  /** Only the first photos of those that are there. */
  readonly limit?: number;
  /** Predictions found here are not made again; new ones are added. */
  readonly journal?: Journal;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
}

export interface RunProgress {
  /** Predictions, of all photos and methods. */
  readonly nDone: number;
  readonly nTotal: number;
  readonly photo: string;
  readonly method: string;
  /** Read from the journal. */
  readonly isReused: boolean;
}

export interface Outcome {
  readonly prediction: Prediction;
  /** Time the prediction took when it was made, in this run or an earlier one. */
  readonly ms: number;
  readonly isReused: boolean;
  /** Why there is no usable prediction, where that may be different another time. */
  readonly error?: { readonly code: ErrorCode | 'UNKNOWN'; readonly message: string };
}

export interface Run {
  readonly dataset: { readonly name: string; readonly kind: DatasetKind; readonly split: string | undefined };
  readonly repairs: readonly string[];
  /** Photos of the split that could not be evaluated. */
  readonly missing: readonly MissingPhoto[];
  readonly photos: readonly PresentPhoto[];
  readonly methods: readonly Pick<Method, 'name' | 'key' | 'sweeps' | 'ablation'>[];
  /** `[method][photo]`, in the order of `methods` and `photos`. */
  readonly outcomes: readonly (readonly Outcome[])[];
}

/** Bumped when what is stored under a key changes its meaning. */
const PREDICTION_VERSION = 1;
/** An answer of the model that will be the same next time; a wrong answer, not a failed run. */
const ANSWER_ERRORS: readonly ErrorCode[] = ['ANSWER_INVALID', 'GRAMMAR', 'CONTEXT_FULL', 'ASPECT_IMPOSSIBLE'];
/** No other photo will fare better. */
const FATAL_ERRORS: readonly ErrorCode[] = [
  'USAGE',
  'MODEL_NOT_FOUND',
  'MODEL_INVALID',
  'MODEL_LOAD',
  'MODEL_UNSUPPORTED',
  'NATIVE_LOAD',
  'DISPOSED',
  'OUTPUT_WRITE',
];

/**
 * Asks every method about every photo. Photo by photo, so that methods can share work on one; `jobs` photos at a time.
 * A method that fails on a photo scores the worst there and the run goes on.
 * @throws FramewrightError `USAGE` where a method cannot do what the data set asks; what no photo can survive (a model
 * that does not load, a journal that cannot be written). The signal's reason when aborted; the journal then holds all
 * that was done.
 */
export async function runEvaluation(
  dataset: Dataset,
  methods: readonly Method[],
  options: RunOptions = {},
): Promise<Run> {
  checkMethods(dataset.kind, methods);
  const { photos, missing } = selectPhotos(dataset, methods, options);
  const groups = ofOneFile(photos);
  const outcomes: Outcome[][] = methods.map(() => new Array<Outcome>(photos.length));
  const nTotal = photos.length * methods.length;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let nDone = 0;
  let next = 0;

  const worker = async (): Promise<void> => {
    for (let g = next++; g < groups.length; g = next++) {
      const group = groups[g]!;
      let content: Promise<string> | undefined;
      const contentOf = (): Promise<string> => (content ??= contentHash(photos[group[0]!]!));
      try {
        for (const p of group) {
          signal.throwIfAborted();
          const photo = photos[p]!;
          for (const [m, method] of methods.entries()) {
            const outcome = await outcomeOf(method, { photo, kind: dataset.kind, contentOf }, options.journal, signal);
            outcomes[m]![p] = outcome;
            nDone++;
            options.onProgress?.({ nDone, nTotal, photo: photo.id, method: method.name, isReused: outcome.isReused });
          }
        }
      } finally {
        for (const method of methods) await method.photoDone?.(photos[group[0]!]!);
      }
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.min(options.jobs ?? 1, groups.length)) }, () =>
    worker().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected');
  options.signal?.throwIfAborted();
  if (failed) throw failed.reason;

  return {
    dataset: { name: dataset.name, kind: dataset.kind, split: options.split },
    repairs: dataset.repairs,
    missing,
    photos,
    methods: methods.map(({ name, key, sweeps, ablation }) => ({
      name,
      key,
      ...defined({ sweeps, ablation }),
    })),
    outcomes,
  };
}

/** Runs of other methods on the same photos as one. */
export function mergeRuns([first, ...others]: readonly [Run, ...Run[]]): Run {
  return {
    ...first,
    methods: [first, ...others].flatMap(({ methods }) => methods),
    outcomes: [first, ...others].flatMap(({ outcomes }) => outcomes),
  };
}

function checkMethods(kind: DatasetKind, methods: readonly Method[]): void {
  const task = TASK_OF_KIND[kind];
  if (methods.length === 0) throw new FramewrightError('USAGE', 'no method to evaluate; name at least one engine');
  for (const [i, method] of methods.entries()) {
    if (method[task] === undefined) {
      throw new FramewrightError(
        'USAGE',
        `${method.name} cannot ${task}, which a data set of ${kind} asks; leave it out`,
      );
    }
    if (methods.findIndex(({ name }) => name === method.name) !== i) {
      throw new FramewrightError('USAGE', `two methods are called ${method.name}`);
    }
  }
}

function selectPhotos(
  dataset: Dataset,
  methods: readonly Method[],
  { split, limit = Infinity }: RunOptions,
): { photos: (Photo & PresentPhoto)[]; missing: MissingPhoto[] } {
  const all: readonly Photo[] = dataset.photos;
  const wanted = split === undefined ? all : all.filter((photo) => photo.split === split);
  if (wanted.length === 0) {
    const splits = [...new Set(all.map((photo) => photo.split ?? 'none'))].join(', ');
    throw new FramewrightError('USAGE', `${dataset.name} has no photos of split ${split ?? 'any'}; it has: ${splits}`);
  }
  const isPixelFree = methods.every(({ needsPixels }) => !needsPixels);
  const reasons = new Map(dataset.missing.map(({ id, reason }) => [id, reason]));
  const photos: (Photo & PresentPhoto)[] = [];
  const missing: MissingPhoto[] = [];
  for (const photo of wanted) {
    if (isPresent(photo) && (photo.path !== undefined || isPixelFree)) photos.push(photo);
    else missing.push({ id: photo.id, reason: reasons.get(photo.id) ?? 'its size is not known' });
  }
  if (photos.length === 0) {
    const [first] = missing;
    throw new FramewrightError(
      'DATASET_INVALID',
      `none of the ${wanted.length} photos of ${dataset.name} can be evaluated (${first?.id ?? ''}: ${first?.reason ?? ''}); put the photos into ${dataset.folder}`,
    );
  }
  return { photos: photos.slice(0, limit), missing };
}

/** Indices of photos that follow each other and are one file, asked for in several ways. */
function ofOneFile(photos: readonly Photo[]): number[][] {
  const groups: number[][] = [];
  for (const [p, { path }] of photos.entries()) {
    const isSame = path !== undefined && photos[p - 1]?.path === path;
    if (isSame) groups.at(-1)!.push(p);
    else groups.push([p]);
  }
  return groups;
}

function isPresent(photo: Photo): photo is Photo & PresentPhoto {
  return photo.size !== undefined;
}

/** A photo and what it is asked, with the hash of its file made at most once. */
interface Question {
  readonly photo: Photo & PresentPhoto;
  readonly kind: DatasetKind;
  readonly contentOf: () => Promise<string>;
}

async function outcomeOf(
  method: Method,
  question: Question,
  journal: Journal | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const { photo, kind } = question;
  signal.throwIfAborted();
  const started = performance.now();
  try {
    const key = method.needsPixels && journal ? await keyOf(method, question) : undefined;
    const known = key === undefined ? undefined : journal?.get(key);
    if (known) return { prediction: known.prediction, ms: known.ms, isReused: true };
    const predictStarted = performance.now();
    const prediction = await predictionOf(method, photo, kind, signal);
    const ms = Math.round(performance.now() - predictStarted);
    if (key !== undefined) await journal?.add({ key, method: method.name, photo: photo.id, prediction, ms });
    return { prediction, ms, isReused: false };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FramewrightError && FATAL_ERRORS.includes(error.code)) throw error;
    const code = error instanceof FramewrightError ? error.code : 'UNKNOWN';
    const message = messageOf(error);
    const ms = Math.round(performance.now() - started);
    return { prediction: { unusable: message }, ms, isReused: false, error: { code, message } };
  }
}

async function predictionOf(
  method: Method,
  photo: Photo & PresentPhoto,
  kind: DatasetKind,
  signal: AbortSignal,
): Promise<Prediction> {
  try {
    return checkedPrediction(await ask(method, photo, signal), kind, boxesAskedAbout(photo).length);
  } catch (error) {
    if (error instanceof FramewrightError && ANSWER_ERRORS.includes(error.code)) return { unusable: error.message };
    throw error;
  }
}

async function ask(method: Method, photo: Photo & PresentPhoto, signal: AbortSignal): Promise<Prediction> {
  const aspect = aspectOf(photo);
  if (aspect || 'boxes' in photo) return { boxes: await method.crop!(photo, { signal, ...(aspect && { aspect }) }) };
  if ('elements' in photo) return { elements: await method.analyse!(photo, { signal }) };
  return { scores: await method.rank!(photo, boxesAskedAbout(photo), { signal }) };
}

function aspectOf(photo: Photo): Ratio | undefined {
  return 'aspect' in photo ? photo.aspect : undefined;
}

function boxesAskedAbout(photo: Photo): readonly Box[] {
  if ('crops' in photo) return photo.crops.map(({ box }) => box);
  return 'pairs' in photo ? photo.pairs.flatMap(({ boxes }) => boxes) : [];
}

function checkedPrediction(prediction: Prediction, kind: DatasetKind, nBoxes: number): Prediction {
  const parsed = predictionSchema.safeParse(prediction);
  if (!parsed.success) return { unusable: `not a valid answer: ${z.prettifyError(parsed.error).split('\n')[0]!}` };
  if ('scores' in prediction && prediction.scores.length !== nBoxes) {
    return { unusable: `${prediction.scores.length} scores for ${nBoxes} boxes of a data set of ${kind}` };
  }
  return prediction;
}

async function keyOf(method: Method, { photo, kind, contentOf }: Question): Promise<string> {
  const { width, height } = photo.size;
  const aspect = aspectOf(photo);
  const asked = [TASK_OF_KIND[kind], width, height, boxesAskedAbout(photo), ...(aspect ? [aspect] : [])];
  return predictionKey([PREDICTION_VERSION, await contentOf(), method.key, ...asked]);
}

async function contentHash(photo: PresentPhoto): Promise<string> {
  if (photo.path === undefined) return `no photo ${photo.id}`;
  return fileSha256(photo.path);
}
