import { parseTargets, type Target } from '../crop/target.js';
import { plainEngine } from '../engines/plain-engine.js';
import { defined } from '../base/defined.js';
import { checkOptions, checkWhole, received } from '../base/options-check.js';
import { engineChain } from '../base/engine-names.js';
import { FramewrightError } from '../base/errors.js';
import { openFaceDetector, type FaceDetector } from '../faces/detector.js';
import { boxesOf, findHeads } from '../faces/heads.js';
import { checkOutput, writeFileAtomic } from '../files/write.js';
import { encodeCrop } from '../photo/crop-file.js';
import { decodePhoto, type Photo } from '../photo/decode.js';
import { carryLike } from '../crop/carry/carry-like.js';
import type { Carry } from '../crop/carry/carry.js';
import { openReference, refuseBesideLike, type Like } from '../crop/carry/reference.js';
import { eachAlone } from './each-alone.js';
import { HeldPhoto } from './held-photo.js';
import { Pace } from './pace.js';
import {
  CROP_ALL_OPTIONS,
  CROP_BUFFER_OPTIONS,
  CROP_EACH_OPTIONS,
  CROP_FILE_OPTIONS,
  CROP_OPTIONS,
  CROPPER_OPTIONS,
  HOLD_OPTIONS,
  LOOK_OPTIONS,
} from './option-kinds.js';
import type {
  CropAllOptions,
  CropEachOptions,
  CropFileOptions,
  CropOptions,
  CroppedImage,
  CropperOptions,
  ModelAtWork,
  PhotoOutcome,
  PhotoTask,
} from './options.js';
import { seriesJobs } from './series/series-jobs.js';
import type { CropHow } from './series/series-run.js';
import { checkSeries } from './series/series-wish.js';
import { checkLimit } from '../photo/input.js';
import type { PhotoInput } from '../photo/input-kinds.js';
import { outputFormatOf } from '../photo/output-format.js';
import { MAX_PARALLEL } from '../model/plan/plan-run.js';
import { openRetrieval } from '../retrieval/open-retrieval.js';
import { openVlm, type Vlm } from '../vlm/open.js';
import type { Tilt } from '../engines/tilt/tilt.js';
import type { EngineChain, ModelIdentity, PhotoEngine } from '../engines/engine.js';
import { analysePhoto, cropPhoto, rankPhoto, type CropJob, type CroppedPhoto } from '../crop/pipeline.js';
import type { CropWishes } from '../crop/wishes.js';
import { pictureOf } from '../crop/picture.js';
import { frameAnother, framePhoto, withHeads, type ReadyPhoto } from '../crop/ready-photo.js';
import { checkStraighten } from '../crop/straighten-wish.js';
import { measureTilt } from '../crop/straighten.js';
import { guardListener } from '../runtime/listener.js';
import { usableCores } from '../runtime/threads.js';
import type { RuntimeInfo } from '../runtime/types.js';
import type { CropRect, CropResult, Element, EngineName } from '../base/schema.js';
import type { Box } from '../base/geometry.js';
import { Slots } from '../base/slots.js';

/** Opens the model and everything below it. Close with `dispose()` or `await using`. */
export async function openCropper(options: CropperOptions = {}): Promise<Cropper> {
  checkOptions('openCropper', options, CROPPER_OPTIONS);
  const closing = new AbortController();
  const signal = anySignal(closing.signal, options.signal);
  const names = engineChain(options.engine ?? 'vlm');
  const { parallel = 1 } = options;
  checkBytes('vramBytes', options.vramBytes);
  checkBytes('memoryBytes', options.memoryBytes);
  checkParallel(parallel);
  if (options.maxPixels !== undefined) checkLimit('maxPixels', options.maxPixels);
  const detect = options.faces || names.includes('faces') ? await openFaceDetector() : undefined;
  if (options.index !== undefined && !names.includes('retrieval')) {
    const who = `${names.length > 1 ? 'engines' : 'engine'} ${names.join(', ')} ${names.length > 1 ? 'have' : 'has'}`;
    throw new FramewrightError('USAGE', `an index is for the engine retrieval; the ${who} no use for it`);
  }
  if (names.includes('retrieval') && !names.includes('vlm') && options.loras && options.loras.length > 0) {
    throw new FramewrightError('USAGE', 'adapters change what a model says, and the engine retrieval asks it nothing');
  }
  const { onLog } = options;
  // Native code calls it: what it throws would end the process, and ends the cropper's work instead.
  const guarded = onLog && guardListener(onLog, (error) => closing.abort(error));
  const model = { ...options, ...defined({ onLog: guarded }), signal };
  return new Cropper(await openEngines(names, model), options, closing, detect);
}

/** One after the other, so that a second model plans with the memory that the first has left. */
async function openEngines(
  [first, ...others]: readonly [EngineName, ...EngineName[]],
  options: CropperOptions,
): Promise<OpenedEngines> {
  const opened = [await openEngine(first, options)] as [OpenedEngine, ...OpenedEngine[]];
  const dispose = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each.dispose();
  };
  try {
    for (const name of others) opened.push(await openEngine(name, options));
  } catch (error) {
    await dispose();
    throw error;
  }
  const engines = opened.map(({ engine }) => engine) as [PhotoEngine, ...PhotoEngine[]];
  return { engines, ...defined({ vlm: opened.find(({ vlm }) => vlm)?.vlm }), dispose };
}

async function openEngine(name: EngineName, options: CropperOptions): Promise<OpenedEngine> {
  if (name === 'retrieval') {
    const { loras: _, ...tower } = options;
    return openRetrieval(options.index, tower);
  }
  if (name !== 'vlm') return { engine: plainEngine(name), dispose: () => Promise.resolve() };
  const vlm = await openVlm(options);
  return { engine: vlm.engine, vlm, dispose: () => vlm.dispose() };
}

/** Nobody has less, but some say gigabytes. 0 is to do without. */
const LEAST_BYTES = 1024 ** 2;

function checkParallel(parallel: unknown): void {
  if (parallel === 'auto') return;
  if (typeof parallel === 'number') checkWhole('parallel', parallel, 1, MAX_PARALLEL);
  else
    throw new FramewrightError(
      'USAGE',
      `Expected parallel to be a number or "auto" but received ${received(parallel)}`,
    );
}

function checkBytes(name: string, bytes: number | undefined): void {
  if (bytes === undefined || bytes === 0 || bytes >= LEAST_BYTES) return;
  throw new FramewrightError('USAGE', `Expected ${name} to be a number of bytes but received ${bytes}; 6 GB are 6e9`);
}

interface OpenedEngine {
  readonly engine: PhotoEngine;
  /** Where the engine is the whole model. */
  readonly vlm?: Vlm;
  dispose(): Promise<void>;
}

/** What a cropper crops with, and what is to be closed after it. */
export interface OpenedEngines {
  readonly engines: EngineChain;
  /** Where one of them is the whole model. */
  readonly vlm?: Vlm;
  dispose(): Promise<void>;
}

/** Crops photos with one loaded model. Made by `openCropper`. */
export class Cropper {
  readonly #opened: OpenedEngines;
  readonly #engines: EngineChain;
  readonly #vlm: Vlm | undefined;
  readonly #detect: FaceDetector | undefined;
  readonly #maxPixels: number | undefined;
  readonly #firstFrame: boolean;
  readonly #rawPreview: boolean;
  readonly #closing: AbortController;
  readonly #outerSignal: AbortSignal | undefined;
  readonly #inModel: Slots;
  readonly #pace: Pace;
  readonly #running = new Set<Promise<unknown>>();
  #disposed: Promise<void> | undefined;

  /** @internal */
  constructor(
    opened: OpenedEngines,
    { parallel = 1, maxPixels, firstFrame = false, rawPreview = false, signal }: CropperOptions,
    closing: AbortController,
    detect?: FaceDetector,
    pace = paceOf(parallel, opened.vlm),
  ) {
    this.#opened = opened;
    this.#engines = opened.engines;
    this.#vlm = opened.vlm;
    this.#detect = detect;
    this.#maxPixels = maxPixels;
    this.#firstFrame = firstFrame;
    this.#rawPreview = rawPreview;
    this.#closing = closing;
    this.#outerSignal = signal;
    this.#pace = pace;
    this.#inModel = new Slots(pace.jobs);
  }

  /** The one that is asked first. */
  get engine(): EngineName {
    return this.#engines[0].name;
  }

  /** All that are asked in turn. */
  get engines(): readonly EngineName[] {
    return this.#engines.map(({ name }) => name);
  }

  /** Whether `instruct` can be asked of it. */
  get takesInstruction(): boolean {
    return this.#engines.some(({ takesInstruction }) => takesInstruction);
  }

  /** Whether heads are looked for. */
  get findsFaces(): boolean {
    return this.#detect !== undefined;
  }

  /** What runs, on which devices, and why nothing better does; undefined for an engine without a model. */
  get runtimeInfo(): RuntimeInfo | undefined {
    return this.#vlm?.runtime.info;
  }

  /** The weights and prompts at work; undefined for an engine without a model. */
  get model(): ModelAtWork | undefined {
    if (!this.#vlm) return undefined;
    const { engine, resolved, cache } = this.#vlm;
    const trained = resolved.manifest?.trained ?? true;
    const { architecture: family } = engine.model.family;
    return { ...engine.identity, trained, family, pixelBudget: engine.pixelBudget, use: resolved.use, ...cache };
  }

  /** Which files decide the crops: of the model at work, or of the vision tower and the index; undefined for a plain engine. */
  get identity(): ModelIdentity | undefined {
    return this.identities[0];
  }

  /** Of each engine with a model, in their order. */
  get identities(): readonly ModelIdentity[] {
    return this.#engines.flatMap(({ identity }) => identity ?? []);
  }

  /** What was given up so that the model fits the memory there is, one line each; empty where nothing was. */
  get givenUp(): readonly string[] {
    return this.#vlm?.plan?.givenUp ?? [];
  }

  /** Work done so far: llama_decode calls, tokens, tokens decided and forced, images. All 0 for an engine without a model. */
  counters(): ReturnType<Vlm['counters']> {
    return this.#vlm?.counters() ?? NO_WORK;
  }

  /** One crop of one photo. */
  async crop(input: PhotoInput, options: CropOptions = {}): Promise<CropResult> {
    checkOptions('crop', options, CROP_OPTIONS);
    const { targets, wishes, like } = oneTarget(options);
    return (await this.#cropTargets(input, targets, wishes, await this.#carryOf(like, wishes))).results[0]!;
  }

  /**
   * One crop of one photo as an encoded image, with the photo's metadata corrected for it; decoded once. Without anything
   * else the photo's own format and quality.
   */
  async cropBuffer(input: PhotoInput, options: CropFileOptions = {}): Promise<CroppedImage> {
    checkOptions('cropBuffer', options, CROP_BUFFER_OPTIONS);
    const { format, quality, strip, ...crop } = options;
    const { targets, wishes, like } = oneTarget(crop);
    const { results, encoded } = await this.#cropTargets(input, targets, wishes, {
      ...(await this.#carryOf(like, wishes)),
      encode: (photo, [result]) => {
        const wanted = defined({ format, quality, strip, signal: wishes.signal });
        return encodeCrop(photo, { ...pictureOf(result!), ...wanted });
      },
    });
    return { ...encoded!, result: results[0]! };
  }

  /**
   * As `cropBuffer`, into a file, whose name says the format unless an option does; written whole or not at all.
   *
   * @throws FramewrightError OUTPUT_EXISTS without `force`, OUTPUT_WRITE; as `crop`
   */
  async cropFile(
    input: PhotoInput,
    output: string,
    options: CropFileOptions & { readonly force?: boolean } = {},
  ): Promise<CropResult> {
    checkOptions('cropFile', options, CROP_FILE_OPTIONS);
    const { force = false, ...rest } = options;
    await checkOutput(output, { force });
    const format = options.format ?? outputFormatOf(output);
    const { bytes, result } = await this.cropBuffer(input, { ...rest, ...defined({ format }) });
    await writeFileAtomic(output, bytes, { force, ...defined({ signal: rest.signal }) });
    return { ...result, output: [output] };
  }

  /** Crops every photo, in order: one result for each aspect and size that its photo has room for. */
  async *cropAll(
    inputs: Iterable<PhotoInput | PhotoTask> | AsyncIterable<PhotoInput | PhotoTask>,
    options: CropAllOptions = {},
  ): AsyncGenerator<CropResult, void, undefined> {
    checkOptions('cropAll', options, CROP_ALL_OPTIONS);
    const { onError, ...rest } = options;
    for await (const outcome of this.cropEach(inputs, rest)) {
      if (outcome.results) yield* outcome.results;
      const failed = outcome.results ? outcome.targets.filter(({ error }) => error !== undefined) : [outcome];
      for (const { error } of failed) {
        if (!onError) throw error;
        onError(error, outcome.input);
      }
    }
  }

  /**
   * As cropAll, photo by photo: a photo's error is its outcome. Meanwhile the next photo is decoded and, where the vision
   * tower has nothing else to do, encoded.
   */
  async *cropEach(
    inputs: Iterable<PhotoInput | PhotoTask> | AsyncIterable<PhotoInput | PhotoTask>,
    options: CropEachOptions = {},
  ): AsyncGenerator<PhotoOutcome, void, undefined> {
    checkOptions('cropEach', options, CROP_EACH_OPTIONS);
    checkStraighten(options.straighten);
    checkSeries(options.series, options);
    const { aspects: sharedAspects, sizes: sharedSizes, series = 'off', like, ...rest } = options;
    const sharedTargets = parseTargets(sharedAspects ?? [], sharedSizes ?? []);
    const stop = new AbortController();
    const signal = anySignal(stop.signal, rest.signal);
    const carry = await this.#carryOf(like, { ...rest, signal });
    const crop = (task: PhotoTask, how: CropHow = {}): Promise<CroppedPhoto> => {
      const { input, name, aspects, sizes, results: _, ...own } = task;
      const targets = (aspects ?? sizes) ? parseTargets(aspects ?? [], sizes ?? []) : sharedTargets;
      const { straighten = own.straighten ?? rest.straighten } = how;
      const wishes = { ...wishesTogether(rest, own), ...defined({ straighten }), signal };
      return this.#cropTargets(input, targets, wishes, { name, inBatch: true, ...carry, ...how });
    };
    const jobs =
      series === 'off'
        ? eachAlone(inputs, crop)
        : seriesJobs(inputs, { series, crop, targets: sharedTargets, limits: this.#decodeLimits(), signal });
    const ahead: Promise<PhotoOutcome>[] = [];
    const pace = this.#pace;
    const next = async (): Promise<PhotoOutcome> => {
      const outcome = await ahead[0]!;
      signal.throwIfAborted();
      return outcome;
    };
    /** Once the caller is done with the outcome. */
    const goOn = async (): Promise<void> => {
      void ahead.shift();
      pace.end();
      await this.#followPace();
    };
    pace.startRun();
    try {
      for await (const { input, crops } of jobs) {
        pace.begin();
        ahead.push(
          crops().then(
            ({ photo, results, targets }) => ({ input, photo, results, targets }),
            (error: unknown) => ({ input, error }),
          ),
        );
        while (ahead.length > pace.jobs) {
          yield await next();
          await goOn();
        }
      }
      while (ahead.length > 0) {
        yield await next();
        await goOn();
      }
    } finally {
      pace.giveUp(ahead.length);
      stop.abort(new FramewrightError('DISPOSED', 'the caller stopped asking for crops'));
      await Promise.all(ahead);
    }
  }

  /** The composition of a photo, in oriented photo pixels. */
  async analyse(
    input: PhotoInput,
    options: Pick<CropOptions, 'seed' | 'temperature' | 'signal'> = {},
  ): Promise<Element[]> {
    checkOptions('analyse', options, LOOK_OPTIONS);
    return this.#run(options.signal, async (signal) =>
      analysePhoto(await this.#framed(input, signal), this.#job({ ...options, signal })),
    );
  }

  /**
   * How a photo is turned against the scene in it, and how sure that is; undefined where nothing in it says which way is up.
   * Edges are measured; no model is at work.
   */
  async tilt(input: PhotoInput, options: Pick<CropOptions, 'signal'> = {}): Promise<Tilt | undefined> {
    checkOptions('tilt', options, HOLD_OPTIONS);
    return this.#run(options.signal, async (signal) => {
      const photo = await decodePhoto(input, { signal, ...defined({ maxPixels: this.#maxPixels }) });
      return measureTilt(photo, { signal });
    });
  }

  /** Natural log-likelihood of each rectangle (oriented photo pixels) as the crop the model would propose first. */
  async rank(
    input: PhotoInput,
    rectangles: readonly CropRect[],
    options: Pick<CropOptions, 'seed' | 'temperature' | 'signal'> = {},
  ): Promise<number[]> {
    checkOptions('rank', options, LOOK_OPTIONS);
    return this.#run(options.signal, async (signal) =>
      rankPhoto(await this.#framed(input, signal), rectangles, this.#job({ ...options, signal })),
    );
  }

  /**
   * Takes a photo into the model and keeps it there: what several questions about it share is computed once. Close it.
   * It may take up to twice the cells of a photo that is only cropped, so open with `parallel` twice the photos held.
   */
  async hold(input: PhotoInput, options: Pick<CropOptions, 'signal'> = {}): Promise<HeldPhoto> {
    checkOptions('hold', options, HOLD_OPTIONS);
    const engine = this.#vlm?.engine;
    if (!engine)
      throw new FramewrightError('USAGE', `the engine ${this.engines.join(', ')} has no model to hold a photo in`);
    return this.#run(options.signal, async (signal) => {
      const ready = await this.#frame(input, engine, signal);
      return new HeldPhoto(ready, engine.hold(ready), engine.model, (own, work) =>
        this.#run(own, (both) => this.#inModel.run(() => work(both), both)),
      );
    });
  }

  /** Stops what is running (it rejects with DISPOSED) and frees the model. Safe at any time, as often as one likes. */
  dispose(): Promise<void> {
    this.#disposed ??= (async () => {
      this.#closing.abort(new FramewrightError('DISPOSED', 'the cropper was disposed'));
      await Promise.allSettled(this.#running);
      await this.#opened.dispose();
    })();
    return this.#disposed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** How crops are taken over from a reference, where one is given; it is opened once. */
  async #carryOf(like: Like | undefined, wishes: CropWishes): Promise<{ readonly carry?: Carry }> {
    if (like === undefined) return {};
    refuseBesideLike(wishes);
    return this.#run(wishes.signal, async (signal) => {
      const detect = this.#detect;
      const findIn = detect && ((photo: Photo): Promise<Box[]> => findHeads(photo, detect, signal).then(boxesOf));
      const { maxPixels } = this.#decodeLimits();
      const reference = await openReference(like, { signal, ...defined({ maxPixels, findHeads: findIn }) });
      return { carry: carryLike(reference, { engine: this.engine, minSize: wishes.minSize ?? 0, signal }) };
    });
  }

  #decodeLimits(): { readonly maxPixels?: number; readonly firstFrame: boolean; readonly rawPreview: boolean } {
    const [firstFrame, rawPreview] = [this.#firstFrame, this.#rawPreview];
    return { firstFrame, rawPreview, ...defined({ maxPixels: this.#maxPixels }) };
  }

  #cropTargets<Encoded = undefined>(
    input: PhotoInput,
    targets: readonly Target[],
    wishes: CropWishes,
    { name, inBatch = false, encode, carry }: CropTargetsOptions<Encoded> = {},
  ): Promise<CroppedPhoto<Encoded>> {
    return this.#run(wishes.signal, (signal) =>
      cropPhoto<Encoded>({
        ...this.#job({ ...wishes, signal }, inBatch),
        ...defined({ encode, carry }),
        targets,
        decode: async () => {
          wishes.onProgress?.('decode');
          return this.#framed(input, signal, name, wishes);
        },
        anotherFrame: async (ready, page) =>
          this.#withHeads(await frameAnother(ready, page, this.#engines[0], { signal }), signal),
      }),
    );
  }

  /** A job of the engine's, for which photos take turns; those of a batch let the vision tower begin with them before. */
  #job(
    wishes: CropWishes & { readonly signal: AbortSignal },
    inBatch = false,
  ): Pick<CropJob, 'engines' | 'wishes' | 'turn'> {
    const { signal } = wishes;
    const turn = async (ready: ReadyPhoto, engine: PhotoEngine): Promise<AsyncDisposable> => {
      const model = this.#vlm?.engine;
      const ahead = inBatch && engine === model ? model.encodeAhead(ready, signal) : undefined;
      const endAhead = async (): Promise<void> => ahead?.[Symbol.asyncDispose]();
      try {
        const slot = await this.#inModel.take(signal);
        return {
          [Symbol.asyncDispose]: () => {
            slot[Symbol.dispose]();
            return endAhead();
          },
        };
      } catch (error) {
        await endAhead();
        throw error;
      }
    };
    return { engines: this.#engines, wishes, turn };
  }

  /** As the first engine looks at it, with its heads where they are looked for. */
  async #framed(input: PhotoInput, signal: AbortSignal, name?: string, wishes?: CropWishes): Promise<ReadyPhoto> {
    return this.#withHeads(await this.#frame(input, this.#engines[0], signal, name, wishes), signal);
  }

  #frame(
    input: PhotoInput,
    engine: PhotoEngine,
    signal: AbortSignal,
    name?: string,
    wishes?: CropWishes,
  ): Promise<ReadyPhoto> {
    const options = { signal, ...this.#decodeLimits(), ...defined({ name }) };
    return framePhoto(input, engine, options, wishes);
  }

  async #withHeads(ready: ReadyPhoto, signal: AbortSignal): Promise<ReadyPhoto> {
    const detect = this.#detect;
    if (!detect) return ready;
    return withHeads(ready, await ready.timings.measure('faces', () => findHeads(ready.photo, detect, signal)));
  }

  /** Lets as many photos into the model as the pace has it, where there is a context for each. */
  async #followPace(): Promise<void> {
    const contexts = this.#vlm?.contexts;
    const { jobs } = this.#pace;
    if (contexts && contexts.most > 1) {
      const nContexts = await contexts.widen(jobs);
      if (nContexts < jobs) this.#pace.limit(nContexts);
    }
    this.#inModel.resize(this.#pace.jobs);
  }

  async #run<T>(own: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#disposed) throw new FramewrightError('DISPOSED', 'the cropper was disposed; open another');
    const signal = anySignal(this.#closing.signal, this.#outerSignal, own);
    signal.throwIfAborted();
    const running = work(signal);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

function paceOf(parallel: number | 'auto', vlm: Vlm | undefined): Pace {
  if (parallel !== 'auto') return new Pace({ least: parallel, most: parallel });
  return new Pace({ most: vlm ? vlm.contexts.most : usableCores() });
}

interface CropTargetsOptions<Encoded> {
  readonly name?: string | undefined;
  readonly inBatch?: boolean;
  readonly carry?: Carry;
  readonly encode?: NonNullable<CropJob<Encoded>['encode']>;
}

/** @throws FramewrightError USAGE */
function oneTarget({ aspect, size, like, ...wishes }: CropOptions): {
  targets: Target[];
  wishes: CropWishes;
  like: Like | undefined;
} {
  if (aspect !== undefined && size !== undefined) {
    throw new FramewrightError('USAGE', 'give an aspect or a size, not both: a size fixes the aspect');
  }
  return {
    targets: parseTargets(aspect === undefined ? [] : [aspect], size === undefined ? [] : [size]),
    wishes,
    like,
  };
}

/** What a photo's own fit does not go with is another's. */
function wishesTogether({ fit, background, enlarge, ...shared }: CropWishes, own: Partial<CropWishes>): CropWishes {
  return { ...shared, ...(own.fit === undefined ? defined({ fit, background, enlarge }) : {}), ...own };
}

const NO_WORK = {
  nThreads: 0,
  nDecodeCalls: 0,
  nTokensDecoded: 0,
  nSingleTokenSteps: 0,
  decodeMs: 0,
  imageMs: 0,
  stepMs: 0,
  readMs: 0,
  nDecided: 0,
  nForced: 0,
  encodeMs: 0,
  nImages: 0,
  nAhead: 0,
};

function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}
