import { defined } from '../../base/defined.js';
import { messageOf } from '../../base/errors.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { CropEachOptions, PhotoOutcome, PhotoTask } from '../../cropper/options.js';
import type { RunProgress, RunRequest, TargetKey } from '../api.js';
import type { LibraryPhoto } from '../library/library.js';
import { keyOfTarget, wordsOfKey } from '../state/target-key.js';
import type { StudioLog } from '../state/studio-log.js';

interface Task {
  readonly photo: LibraryPhoto;
  readonly targets: readonly TargetKey[];
  readonly wishes: Pick<RunRequest, 'instruct' | 'straighten' | 'focus' | 'keep'>;
}

export interface CropRunsOptions {
  readonly cropper: Cropper;
  readonly log: StudioLog;
  /** Of every photo. */
  readonly wishes: Pick<CropEachOptions, 'candidates' | 'votes' | 'minConfidence' | 'minSize' | 'straighten'>;
  /** A photo has new crops, or none for a reason. */
  readonly onPhoto: (name: string) => void;
  readonly onProgress: (progress: RunProgress) => void;
}

/** Crops by the engine, photo after photo in the order asked for, whether or not a page looks on. */
export class CropRuns {
  readonly #options: CropRunsOptions;
  readonly #waiting: Task[] = [];
  /** Taken by the cropper, whose outcomes come in this order. */
  readonly #inHand: Task[] = [];
  readonly #failures = new Map<string, string>();
  #running: Promise<void> | undefined;
  #stop = new AbortController();
  #startedAt = 0;
  #endedAt = 0;
  #nTotal = 0;
  #nDone = 0;
  #nFailed = 0;
  #error: string | undefined;

  constructor(options: CropRunsOptions) {
    this.#options = options;
  }

  get progress(): RunProgress {
    const isRunning = this.#running !== undefined;
    return {
      isRunning,
      nTotal: this.#nTotal,
      nDone: this.#nDone,
      nFailed: this.#nFailed,
      elapsedMs: Math.round((isRunning ? performance.now() : this.#endedAt) - this.#startedAt),
      ...defined({ error: this.#error }),
    };
  }

  /** Why the last attempt at a photo gave no crop. */
  failureOf(name: string): string | undefined {
    return this.#failures.get(name);
  }

  /** Adds to what is being done. */
  start(tasks: readonly Task[]): void {
    if (tasks.length === 0) return;
    if (!this.#running) {
      this.#startedAt = performance.now();
      this.#nTotal = this.#nDone = this.#nFailed = 0;
      this.#error = undefined;
      this.#stop = new AbortController();
    }
    this.#nTotal += tasks.length;
    this.#waiting.push(...tasks);
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      this.#endedAt = performance.now();
      this.#options.onProgress(this.progress);
    });
    this.#options.onProgress(this.progress);
  }

  /** Stops at once; what is done stays. */
  async cancel(): Promise<void> {
    this.#waiting.length = 0;
    this.#stop.abort();
    await this.#running;
  }

  async #work(): Promise<void> {
    const { cropper, wishes } = this.#options;
    const { signal } = this.#stop;
    try {
      for await (const outcome of cropper.cropEach(this.#tasks(), { ...wishes, signal })) {
        const task = this.#inHand.shift()!;
        await this.#note(task, outcome);
        this.#nDone++;
        this.#options.onPhoto(task.photo.name);
        this.#options.onProgress(this.progress);
      }
    } catch (error) {
      // Whoever cancels knows; anything else ends the run, as a full disk does.
      if (!signal.aborted) this.#error = messageOf(error);
      this.#waiting.length = 0;
    }
    this.#inHand.length = 0;
  }

  async *#tasks(): AsyncGenerator<PhotoTask, void, undefined> {
    for (let task = this.#waiting.shift(); task; task = this.#waiting.shift()) {
      this.#inHand.push(task);
      const { instruct, straighten, focus, keep } = task.wishes;
      const words = task.targets.map(wordsOfKey);
      yield await Promise.resolve({
        input: task.photo.path,
        aspects: words.flatMap(({ aspect }) => aspect ?? []),
        sizes: words.flatMap(({ size }) => size ?? []),
        ...defined({ instruct, straighten, focus, keep }),
      });
    }
  }

  async #note({ photo }: Task, outcome: PhotoOutcome): Promise<void> {
    const errors = outcome.results ? outcome.targets.flatMap(({ error }) => error ?? []) : [outcome.error];
    if (errors.length > 0) {
      this.#nFailed++;
      this.#failures.set(photo.name, errors.map(messageOf).join('; '));
    } else this.#failures.delete(photo.name);
    for (const { target, result } of outcome.results ? outcome.targets : []) {
      if (result) {
        await this.#options.log.note({ what: 'cropped', photo: photo.name, target: keyOfTarget(target), result });
      }
    }
  }
}
