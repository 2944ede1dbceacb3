// The part of the addon's contract (addon.ts) that trains: native/src/binding/binding_trainer.cpp.

export interface NativeTrainerParams {
  /** The text model. */
  readonly path: string;
  /** e.g. `CPU`, `CUDA0` */
  readonly device: string;
  readonly threads: number;
  readonly rank: number;
  /** alpha / rank */
  readonly scale: number;
  /** Of attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down. */
  readonly targets: readonly string[];
  readonly recompute: boolean;
}

/** One sequence: `train_sample` in native/src/train/sample.h. */
export interface NativeTrainSample {
  readonly tokens: Int32Array;
  readonly imageRows: Float32Array;
  readonly positions: Int32Array;
  readonly branches: Int32Array;
  readonly rows: Int32Array;
  readonly targets: Int32Array;
  readonly signs: Float32Array;
}

/** `train_objective` in native/src/train/sample.h. */
export interface NativeTrainObjective {
  readonly weight: number;
  readonly beta: number;
  readonly reference: number;
}

export interface NativePass {
  readonly logProbs: Float32Array;
  /** 1 where the target was the likeliest token. */
  readonly hits: Uint8Array;
}

export interface NativeAdamw {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0: gradients are not clipped. */
  readonly clipNorm: number;
}

export interface NativeTrainerState {
  /** Pair by pair as `facts().pairs`: lora_a as in a file, [rank][in], then lora_b transposed, [rank][out]. */
  readonly parameters: Float32Array;
  /** AdamW's moments. */
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly nSteps: number;
}

/** Promises reject with an `Error` that has a `code`. One call that returns a promise at a time. */
export interface NativeTrainer {
  load(): Promise<void>;
  facts(): {
    readonly pairs: readonly { readonly name: string; readonly nIn: number; readonly nOut: number }[];
    readonly nParameters: number;
    readonly nEmbd: number;
    readonly nVocab: number;
    readonly computeBytes: number;
  };
  evaluate(sample: NativeTrainSample): Promise<NativePass>;
  accumulate(sample: NativeTrainSample, objective: NativeTrainObjective): Promise<NativePass>;
  /** Resolves with the length of the gradients; where that is not finite no step was taken. */
  step(params: NativeAdamw): Promise<number>;
  clearGradients(): Promise<void>;
  read(): Promise<NativeTrainerState & { readonly gradients: Float32Array }>;
  /** Without moments the optimizer stays as it is. */
  write(state: Pick<NativeTrainerState, 'parameters'> & Partial<NativeTrainerState>): Promise<void>;
  /** Makes the pending call reject soon. */
  interrupt(): void;
  dispose(): Promise<void>;
}

export interface NativeTrainingCost {
  readonly baseBytes: number;
  readonly transposedBytes: number;
  readonly adapterBytes: number;
  readonly optimizerBytes: number;
  /** Of the longest sequence, on the device. */
  readonly computeBytes: number;
  /** Of it, in the process's own memory. */
  readonly hostBytes: number;
  readonly nParameters: number;
  /** Of it, forward and back. */
  readonly flops: number;
  /** An operation of training that the device has not; empty if it has all. */
  readonly unsupported: string;
}
