import type { PhotoEngine } from '../engines/engine.js';
import { analysePhoto, cropPhoto, rankPhoto } from '../crop/pipeline.js';
import type { HeldWishes } from '../crop/wishes.js';
import type { ReadyPhoto } from '../crop/ready-photo.js';
import type { CropRect, CropResult, Element } from '../base/schema.js';
import type { VisionModel } from '../runtime/model.js';
import { parseTargets } from '../crop/target.js';
import { defined } from '../base/defined.js';
import { checkOptions, type OptionKinds } from '../base/options-check.js';
import type { HeldCropOptions } from './options.js';
import { HELD_CROP_OPTIONS, HELD_RANK_OPTIONS, HOLD_OPTIONS } from './option-kinds.js';
import { Timings } from '../base/timings.js';

/**
 * A photo in the model; made by `Cropper.hold`. Its answers are the most probable ones, one is given at a time, and the
 * same question gets the same answer.
 */
export class HeldPhoto implements AsyncDisposable {
  readonly #ready: ReadyPhoto;
  readonly #engine: PhotoEngine & AsyncDisposable;
  readonly #model: VisionModel;
  readonly #run: <T>(own: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(
    ready: ReadyPhoto,
    engine: PhotoEngine & AsyncDisposable,
    model: VisionModel,
    run: <T>(own: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) => Promise<T>,
  ) {
    this.#ready = ready;
    this.#engine = engine;
    this.#model = model;
    this.#run = run;
  }

  get widthPx(): number {
    return this.#ready.photo.width;
  }

  get heightPx(): number {
    return this.#ready.photo.height;
  }

  /** One crop, of `aspect` (`4:5`) or of any shape. Its times are those of what was not computed before. */
  crop(request: HeldCropOptions = {}): Promise<CropResult> {
    return this.#next('crop', request, HELD_CROP_OPTIONS, async (ready, signal) => {
      const { aspect, ...wishes } = request;
      const { results } = await cropPhoto({
        decode: () => Promise.resolve(ready),
        engines: [this.#engine],
        targets: parseTargets(aspect === undefined ? [] : [aspect], []),
        // What is asked of the model alone is to be its own answer.
        wishes: { ...wishes, cameraFocus: false, signal },
      });
      return results[0]!;
    });
  }

  /** The composition, in oriented photo pixels. */
  analyse(request: Pick<HeldWishes, 'signal'> = {}): Promise<Element[]> {
    return this.#next('analyse', request, HOLD_OPTIONS, (ready, signal) =>
      analysePhoto(ready, { engines: [this.#engine], wishes: { signal } }),
    );
  }

  /** As `Cropper.rank`. */
  rank(rectangles: readonly CropRect[], request: Pick<HeldWishes, 'without' | 'signal'> = {}): Promise<number[]> {
    return this.#next('rank', request, HELD_RANK_OPTIONS, (ready, signal) =>
      rankPhoto(ready, rectangles, { engines: [this.#engine], wishes: { ...request, signal } }),
    );
  }

  /** @internal Work with the model itself, in turn with the photo's other calls. */
  withModel<T>(
    own: AbortSignal | undefined,
    work: (model: VisionModel, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#next('withModel', defined({ signal: own }), HOLD_OPTIONS, (_, signal) => work(this.#model, signal));
  }

  /** Lets go of the photo, once what was asked is answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#engine[Symbol.asyncDispose]();
  }

  #next<T, O extends { readonly signal?: AbortSignal }>(
    of: string,
    request: O,
    kinds: OptionKinds<O>,
    work: (ready: ReadyPhoto, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const answer = this.#last.then(() => {
      checkOptions(of, request, kinds);
      return this.#run(request.signal, (signal) => work({ ...this.#ready, timings: new Timings() }, signal));
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}
