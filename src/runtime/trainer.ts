import { FramewrightError } from '../base/errors.js';
import type { NativeAddon } from './addon.js';
import type {
  NativeAdamw,
  NativePass,
  NativeTrainer,
  NativeTrainerParams,
  NativeTrainerState,
  NativeTrainingCost,
  NativeTrainObjective,
  NativeTrainSample,
} from './addon-trainer.js';
import { checkInteger } from './check.js';
import { guardListener } from './listener.js';
import { CallQueue } from './session/call-queue.js';
import { usableCores } from './threads.js';

/** The matrices of a layer that may be given an adapter, as a GGUF file names them. */
export const LORA_TARGETS = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const;
export type LoraTarget = (typeof LORA_TARGETS)[number];

export interface TrainerOptions {
  /** A validated text model (see gguf/validate). */
  readonly path: string;
  /** Default 16. */
  readonly rank?: number;
  /** Default twice the rank. What the adapter adds is multiplied by alpha / rank. */
  readonly alpha?: number;
  /** Default: all. */
  readonly targets?: readonly LoraTarget[];
  /** Computes each layer anew on the way back: half as slow again, and memory that does not grow with the layers. Default false. */
  readonly recompute?: boolean;
  /** One of `RuntimeInfo.devices`. Default `CPU`. */
  readonly device?: string;
  /** Default: the physical cores. */
  readonly threads?: number;
  /** Fraction 0..1 of the weights. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** One sequence to learn from. */
export type TrainSample = NativeTrainSample;

/**
 * What is made small: the sum of -sign * log p(target), times `weight`; with a `beta` DPO's
 * weight * -log sigmoid(beta * (sum of sign * log p(target) - reference)).
 */
export type TrainObjective = NativeTrainObjective;
export type AdamwOptions = NativeAdamw;
/** Log-probabilities (natural) of the targets, and which of them were the likeliest tokens. */
export type TrainPass = NativePass;
export type TrainerState = NativeTrainerState;
/** Bytes, and floating-point operations of the longest sequence forward and back. */
export type TrainingCost = NativeTrainingCost;

/** One matrix's adapter: its tensors in a file are `<name>.lora_a` and `<name>.lora_b`. */
export interface LoraPairShape {
  readonly name: string;
  readonly nIn: number;
  readonly nOut: number;
}

/** @internal @throws FramewrightError USAGE */
export function toTrainerParams(options: TrainerOptions): NativeTrainerParams {
  const { targets = LORA_TARGETS, recompute = false, device = 'CPU' } = options;
  const rank = checkInteger('rank', options.rank ?? 16, 1, 4096);
  const alpha = options.alpha ?? 2 * rank;
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new FramewrightError('USAGE', `expected an alpha above 0 but received ${alpha}`);
  if (targets.length === 0) throw new FramewrightError('USAGE', 'expected at least one matrix to train');
  const threads = checkInteger('threads', options.threads ?? usableCores(), 1, 512);
  return { path: options.path, device, threads, rank, scale: alpha / rank, targets, recompute };
}

/** A frozen text model and the adapter that is learnt for it. Calls run one after the other, off the main thread. */
export class LoraTrainer {
  /** In the order of the parameters. */
  readonly pairs: readonly LoraPairShape[];
  readonly rank: number;
  /** alpha / rank */
  readonly scale: number;
  readonly nParameters: number;
  readonly nEmbd: number;
  readonly nVocab: number;
  readonly #native: NativeTrainer;
  readonly #queue: CallQueue;
  readonly #onDispose: (trainer: LoraTrainer) => void;
  #disposed: Promise<void> | undefined;

  private constructor(
    native: NativeTrainer,
    queue: CallQueue,
    params: NativeTrainerParams,
    onDispose: (trainer: LoraTrainer) => void,
  ) {
    const { pairs, nParameters, nEmbd, nVocab } = native.facts();
    this.pairs = pairs;
    this.rank = params.rank;
    this.scale = params.scale;
    this.nParameters = nParameters;
    this.nEmbd = nEmbd;
    this.nVocab = nVocab;
    this.#native = native;
    this.#queue = queue;
    this.#onDispose = onDispose;
  }

  /** @internal */
  static async load(
    addon: NativeAddon,
    options: TrainerOptions,
    onDispose: (trainer: LoraTrainer) => void,
  ): Promise<LoraTrainer> {
    const params = toTrainerParams(options);
    const onProgress = guardListener(options.onProgress ?? (() => undefined), (error) => queue.cancel(error));
    const native = new addon.Trainer(params, (fraction) => {
      if (!options.signal?.aborted) onProgress(fraction);
    });
    const queue = new CallQueue('trainer', () => native.interrupt());
    try {
      await queue.run(() => native.load(), options.signal);
    } catch (error) {
      void queue.close().then(() => native.dispose());
      throw error;
    }
    return new LoraTrainer(native, queue, params, onDispose);
  }

  /** @throws FramewrightError DECODE, USAGE, DISPOSED; the signal's reason */
  evaluate(sample: TrainSample, { signal }: { readonly signal?: AbortSignal } = {}): Promise<TrainPass> {
    return this.#queue.run(() => this.#native.evaluate(sample), signal);
  }

  /**
   * Adds the gradient of the objective to what the next step uses. Once one was aborted, only `clearGradients` makes them
   * usable again.
   *
   * @throws FramewrightError DECODE, USAGE, DISPOSED; the signal's reason
   */
  accumulate(
    sample: TrainSample,
    objective: TrainObjective,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<TrainPass> {
    return this.#queue.run(() => this.#native.accumulate(sample, objective), signal);
  }

  /** One step of AdamW. The length of the gradients before clipping; where that is not finite nothing has changed. */
  step(options: AdamwOptions): Promise<number> {
    return this.#queue.run(() => this.#native.step(options));
  }

  clearGradients(): Promise<void> {
    return this.#queue.run(() => this.#native.clearGradients());
  }

  /** Everything that changes in training. */
  read(): Promise<TrainerState & { readonly gradients: Float32Array }> {
    return this.#queue.run(() => this.#native.read());
  }

  /** Without moments the optimizer stays as it is. @throws FramewrightError USAGE for another number of parameters */
  write(state: Pick<TrainerState, 'parameters'> & Partial<TrainerState>): Promise<void> {
    return this.#queue.run(() => this.#native.write(state));
  }

  /** What the sequences so far took at most while they were computed. */
  computeBytes(): number {
    return this.#native.facts().computeBytes;
  }

  /** May be called at any time, and more than once. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#onDispose(this);
    await this.#queue.close();
    await this.#native.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
