import type { NativeAddon } from './addon.js';
import { loadBinding } from './binding.js';
import { CallQueue } from './session/call-queue.js';
import { guardListener } from './listener.js';
import { toNativeParams } from './load-model.js';
import { listenToLog } from './log-hub.js';
import { VisionModel } from './model.js';
import { disposedError, fromNative } from './native-error.js';
import { LoraTrainer, toTrainerParams, type TrainerOptions, type TrainingCost } from './trainer.js';
import type { LogLine, ModelOptions, RuntimeInfo, RuntimeOptions } from './types.js';

/**
 * Loads the native addon and llama.cpp's backends. Open it once and keep it; a second one shares the libraries.
 *
 * @throws FramewrightError NATIVE_LOAD with the remedy for its cause, USAGE for a CPU variant that cannot be had
 */
export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { addon, info } = await loadBinding(options);
  stopAtExit(addon);
  return new Runtime(addon, info);
}

export class Runtime {
  readonly info: RuntimeInfo;
  readonly #addon: NativeAddon;
  readonly #models = new Set<VisionModel>();
  readonly #trainers = new Set<LoraTrainer>();
  readonly #stopListening = new Set<() => void>();
  /** How to free what still loads, or failed to. */
  readonly #unfinished = new Set<() => Promise<void>>();
  #disposed: Promise<void> | undefined;

  /** @internal */
  constructor(addon: NativeAddon, info: RuntimeInfo) {
    this.#addon = addon;
    this.info = info;
  }

  /**
   * Loads a validated pair of GGUF files (see gguf/validate).
   *
   * @throws FramewrightError MODEL_LOAD, MODEL_UNSUPPORTED, USAGE, DISPOSED; the signal's reason
   */
  async loadModel(options: ModelOptions): Promise<VisionModel> {
    if (this.#disposed) throw disposedError('runtime');
    const params = toNativeParams(this.info, options);
    const onProgress = guardListener(options.onProgress ?? (() => undefined), (error) => queue.cancel(error));
    const native = new this.#addon.Model(params, (fraction) => {
      if (!options.signal?.aborted) onProgress(fraction);
    });
    const queue = new CallQueue('model', () => native.interrupt());
    const free = once(async () => {
      await queue.close();
      await native.dispose();
      this.#unfinished.delete(free);
    });
    this.#unfinished.add(free);
    try {
      await queue.run(() => native.load(), options.signal);
      // Threads that wait for a GPU take no time, which tells nothing of the machine.
      const settings = { ...params, followsLoad: options.threads === undefined && this.info.backend === 'cpu' };
      const model = new VisionModel(this.#addon, native, queue, settings, (disposed) => this.#models.delete(disposed));
      this.#models.add(model);
      this.#unfinished.delete(free);
      return model;
    } catch (error) {
      // An aborted load is let go of by and by; the caller hears of it at once.
      void free();
      throw error;
    }
  }

  /**
   * Loads a text model to train an adapter of: the weights, and their transposes for the way back.
   *
   * @throws FramewrightError MODEL_LOAD, MODEL_UNSUPPORTED, USAGE, DISPOSED; the signal's reason
   */
  async openTrainer(options: TrainerOptions): Promise<LoraTrainer> {
    if (this.#disposed) throw disposedError('runtime');
    const trainer = await LoraTrainer.load(this.#addon, options, (disposed) => this.#trainers.delete(disposed));
    this.#trainers.add(trainer);
    return trainer;
  }

  /**
   * What training takes, from the header of the model's file alone.
   *
   * @param longest tokens of the longest sequence, and how many of its positions are scored
   * @throws FramewrightError MODEL_LOAD, MODEL_UNSUPPORTED, USAGE
   */
  planTraining(options: TrainerOptions, longest: { readonly nTokens: number; readonly nRows: number }): TrainingCost {
    try {
      return this.#addon.planTraining(toTrainerParams(options), longest.nTokens, longest.nRows);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * Floating-point operations a second of a matrix product of the model's size. Measured for a fifth of a second, in which
   * nothing else runs on the main thread.
   *
   * @throws FramewrightError MODEL_LOAD, MODEL_UNSUPPORTED, USAGE
   */
  measureTrainingSpeed(options: TrainerOptions): number {
    try {
      return this.#addon.measureSpeed(toTrainerParams(options));
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * Calls `listener` for every line llama.cpp logs, in this process and whoever made it, from now on. Returns how to stop.
   */
  onLog(listener: (line: LogLine) => void): () => void {
    if (this.#disposed) throw disposedError('runtime');
    const stop = listenToLog(this.#addon, listener);
    this.#stopListening.add(stop);
    return () => {
      this.#stopListening.delete(stop);
      stop();
    };
  }

  /** Disposes its models, and theirs. May be called at any time, and more than once. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    const freeing = [...this.#unfinished].map((free) => free());
    const loaded = [...this.#models, ...this.#trainers];
    await Promise.all([...freeing, ...loaded.map((each) => each.dispose())]);
    for (const stop of this.#stopListening) stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

const stopping = new WeakSet<NativeAddon>();

function stopAtExit(addon: NativeAddon): void {
  if (stopping.has(addon)) return;
  stopping.add(addon);
  process.once('exit', () => addon.stopWorkers());
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}
