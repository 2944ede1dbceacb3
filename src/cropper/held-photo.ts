import type { PhotoEngine } from '../engines/engine.js';
import { analysePhoto, cropPhoto, rankPhoto, type PhotoRequest, type ReadyPhoto } from '../crop/pipeline.js';
import type { CropRect, CropResult, Element } from '../base/schema.js';
import { parseTargets } from '../crop/target.js';
import { Timings } from '../base/timings.js';

/**
 * A photo in the model; made by `Cropper.hold`. Its answers are the most probable ones, one is given at a time, and the
 * same question gets the same answer.
 */
export class HeldPhoto implements AsyncDisposable {
  readonly #ready: ReadyPhoto;
  readonly #engine: PhotoEngine & AsyncDisposable;
  readonly #run: <T>(own: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(
    ready: ReadyPhoto,
    engine: PhotoEngine & AsyncDisposable,
    run: <T>(own: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) => Promise<T>,
  ) {
    this.#ready = ready;
    this.#engine = engine;
    this.#run = run;
  }

  get widthPx(): number {
    return this.#ready.photo.width;
  }

  get heightPx(): number {
    return this.#ready.photo.height;
  }

  /** One crop of any shape. Its times are those of what was not computed before. */
  crop(
    request: Pick<PhotoRequest, 'candidates' | 'votes' | 'minSize' | 'without' | 'onConversation' | 'signal'> = {},
  ): Promise<CropResult> {
    return this.#next(request.signal, async (ready, signal) => {
      const [result] = await cropPhoto(ready, parseTargets([], []), this.#engine, { ...request, signal });
      return result!;
    });
  }

  /** The composition, in oriented photo pixels. */
  analyse(request: Pick<PhotoRequest, 'signal'> = {}): Promise<Element[]> {
    return this.#next(request.signal, (ready, signal) => analysePhoto(ready, this.#engine, { signal }));
  }

  /** As `Cropper.rank`. */
  rank(rectangles: readonly CropRect[], request: Pick<PhotoRequest, 'without' | 'signal'> = {}): Promise<number[]> {
    return this.#next(request.signal, (ready, signal) =>
      rankPhoto(ready, rectangles, this.#engine, { ...request, signal }),
    );
  }

  /** Lets go of the photo, once what was asked is answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#engine[Symbol.asyncDispose]();
  }

  #next<T>(own: AbortSignal | undefined, work: (ready: ReadyPhoto, signal: AbortSignal) => Promise<T>): Promise<T> {
    const answer = this.#last.then(() =>
      this.#run(own, (signal) => work({ ...this.#ready, timings: new Timings() }, signal)),
    );
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}
