import type { NativeTrainer, NativeTrainerParams, NativeTrainingCost } from './addon-trainer.js';
import type { ITEM, NativeConstants } from './native-constants.js';

/**
 * The exports of `framewright.node`, exactly as native/src/binding/addon.cpp makes them. Only src/runtime uses it: arguments are
 * checked before they get here, and what the addon throws is a plain `Error` whose `code` is an `ErrorCode`.
 */
export interface NativeAddon {
  /**
   * Sets llama.cpp's three log hooks and initialises it. Call it before anything else, in every environment; after the
   * first time in a process it only registers the environment.
   */
  init(): void;

  /**
   * Loads the best of each kind of backend library in a folder (`libggml-cpu-*.so`, ...), as
   * `ggml_backend_load_all_from_path` does, once per folder and process. Returns the names of all backends registered
   * by now, e.g. `['CPU']`; without `CPU` among them no model can be loaded. Where `cpu` is not empty, that library alone
   * is loaded, if this is the first time.
   */
  loadBackends(folder: string, cpu: string): string[];

  /**
   * Loads one backend library, e.g. `libggml-cuda.so`, once per file and process. `error` is null if it is registered
   * now, else the loader's reason in one line (`libcudart.so.13: cannot open shared object file`).
   */
  loadBackend(file: string): { readonly error: string | null };

  /**
   * How much of this processor a CPU backend's library makes use of, by ggml's count: the best has the most, 0 cannot be
   * executed here.
   */
  cpuScore(file: string): number;

  /** File of the CPU backend in use; empty if there is none. */
  cpuLibrary(): string;

  /** Devices of all backends registered, in llama.cpp's order. */
  devices(): NativeDevice[];

  /** Formats the CPU backend repacks weights into, e.g. `['AMX', 'CPU_REPACK']`, the preferred one first. */
  hostFormats(): string[];

  /** Tensor data of a ggml type, by its number, as floats; whole blocks. */
  decodeRows(type: number, bytes: Uint8Array): Float32Array;

  /** Floats as tensor data; a row is a whole number of blocks. Types that need an importance matrix are refused. */
  encodeRows(type: number, values: Float32Array, nPerRow: number): Uint8Array;

  versions(): NativeVersions;

  /** The numbers that TypeScript must have too, as they were compiled; test/runtime/constants.test.ts compares them. */
  constants(): NativeConstants;

  /**
   * `listener` is called on this environment's thread whenever lines wait in `drainLogs()`; null stops it. It does not
   * keep the process alive.
   */
  setLogListener(listener: (() => void) | null): void;

  /** Log lines since this environment's last call, oldest first; a ring keeps the last ones of the process (max_lines_kept in log_sink.cpp). */
  drainLogs(): NativeLogLine[];

  /**
   * Stops what this environment's models and contexts run, and waits for it; their promises never settle. For the `exit`
   * event: after it C++ destroys what running work needs. (A worker_thread's end does it by itself.)
   */
  stopWorkers(): void;

  /** Call `load()` next, and nothing before it resolved. `onProgress` gets the fraction 0..1 over both files. */
  readonly Model: new (params: NativeModelParams, onProgress: (fraction: number) => void) => NativeModel;

  /**
   * Call `create()` next. `onToken` gets what items of kind `ITEM.generate` choose, if they asked for it. The model must
   * be loaded; its memory stays until the context is disposed too.
   */
  readonly Context: new (model: NativeModel, params: NativeContextParams, onToken: NativeOnToken) => NativeContext;

  /** `onProgress` gets the fraction 0..1 of the tensors that are done. */
  readonly Quantizer: new (onProgress: (fraction: number) => void) => NativeQuantizer;

  /** Call `load()` next. `onProgress` gets the fraction 0..1 of the weights. */
  readonly Trainer: new (params: NativeTrainerParams, onProgress: (fraction: number) => void) => NativeTrainer;

  /** Reads the file's header only. Throws what `NativeTrainer.load` rejects with. */
  planTraining(params: NativeTrainerParams, nTokens: number, nRows: number): NativeTrainingCost;

  /** Floating-point operations a second of a matrix product of the model's size; takes a fifth of a second. */
  measureSpeed(params: NativeTrainerParams): number;
}

export interface NativeDevice {
  /** e.g. `CPU`, `CUDA0`, `Vulkan0`; what `NativeModelParams.devices` takes. */
  readonly name: string;
  readonly description: string;
  readonly kind: 'cpu' | 'gpu' | 'igpu' | 'accel';
  /** Name of the backend it belongs to, e.g. `CPU`, `CUDA`, `Vulkan`, `Metal`. */
  readonly backend: string;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
}

export interface NativeVersions {
  /** llama.cpp's `llama_version()`. */
  readonly llama: string;
  /** N-API version the addon was compiled for. */
  readonly napi: number;
  /** llama.cpp's `llama_print_system_info()`: instruction sets in use. */
  readonly system: string;
}

export interface NativeLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

export interface NativeModelParams {
  readonly path: string;
  readonly mmprojPath: string;
  readonly mmap: boolean;
  /** -1: all of them. */
  readonly gpuLayers: number;
  /** Names of the GPUs that layers and vision tower may go to. */
  readonly devices: readonly string[];
  readonly projectorOnGpu: boolean;
  readonly threads: number;
  readonly flashAttention: number;
  readonly imageMinTokens: number;
  readonly imageMaxTokens: number;
  readonly loras: readonly { readonly path: string; readonly scale: number }[];
}

export interface NativeModelFacts {
  readonly description: string;
  readonly nParams: number;
  readonly sizeBytes: number;
  readonly nVocab: number;
  readonly nEmbd: number;
  readonly nEmbdInput: number;
  readonly cellPx: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nCtxTrain: number;
  readonly chatTemplate: string | undefined;
  /** key, value, key, value, ... */
  readonly metadata: readonly string[];
}

export interface NativeMemory {
  readonly device: string;
  readonly modelBytes: number;
  readonly contextBytes: number;
  readonly computeBytes: number;
}

/** Promises reject with an `Error` that has a `code`. One call of `load`, `encodeImage` or `dispose` at a time. */
export interface NativeModel {
  load(): Promise<void>;
  facts(): NativeModelFacts;
  memory(): NativeMemory[];
  tokenize(text: string, parseSpecial: boolean): Int32Array;
  detokenize(tokens: Int32Array): string;
  tokenText(token: number): string;
  /** `rgb` is copied. */
  encodeImage(rgb: Uint8Array, width: number, height: number): Promise<NativeEmbedding>;
  /** Frees the vision tower; the next image loads it again. */
  releaseEncoder(): Promise<void>;
  /** Makes the pending call reject soon. */
  interrupt(): void;
  dispose(): Promise<void>;
}

export interface NativeQuantizeParams {
  readonly input: string;
  readonly output: string;
  /** llama_ftype */
  readonly fileType: number;
  readonly threads: number;
  readonly allowRequantize: boolean;
  readonly pure: boolean;
}

export interface NativeQuantizer {
  /** Once. Writes `output` whole, or leaves a part of it and rejects. */
  run(params: NativeQuantizeParams): Promise<void>;
  /** Makes the pending call reject after the present tensor. */
  interrupt(): void;
  dispose(): Promise<void>;
}

export interface NativeEmbedding {
  nTokens(): number;
  nPos(): number;
  /** A copy of it, [nTokens][nEmbd]; empty after dispose. */
  rows(): Float32Array;
  /** Frees its memory once no context reads it any more. */
  dispose(): void;
}

export interface NativeContextParams {
  readonly nCtx: number;
  readonly nSeqMax: number;
  readonly nBatch: number;
  readonly kvType: number;
  readonly flashAttention: number;
  readonly threads: number;
  /** Takes `threads` as the most, and fewer while other work leaves it fewer processors. */
  readonly followsLoad: boolean;
  readonly captureAttention: boolean;
}

export interface NativeCounters {
  readonly nDecodeCalls: number;
  readonly nTokensDecoded: number;
  readonly nSingleTokenSteps: number;
  readonly decodeMs: number;
  readonly imageMs: number;
  readonly stepMs: number;
  readonly readMs: number;
  /** Of the next call: fewer than the context was given while others need the processors. */
  readonly nThreads: number;
}

/** Work for `run`, as a tuple: an array costs less to read in C++ than an object. Ids are the caller's. */
export type NativeItem =
  | readonly [
      id: number,
      kind: typeof ITEM.append,
      sequence: number,
      tokens: Int32Array,
      choices: Int32Array | undefined,
      layers: Int32Array | undefined,
    ]
  | readonly [
      id: number,
      kind: typeof ITEM.score,
      sequence: number,
      /** All continuations, one behind the other, and the length of each. */
      tokens: Int32Array,
      lengths: Int32Array,
      /** Empty sequences it may use meanwhile, at least one. */
      scratch: Int32Array,
    ]
  | readonly [
      id: number,
      kind: typeof ITEM.generate,
      sequence: number,
      grammar: string | undefined,
      maxTokens: number,
      temperature: number,
      seed: number,
      stopTexts: readonly string[],
      streams: boolean,
    ];

/** `[logProbs, layer, nHead, weights, layer, nHead, weights, ...]` */
export type NativeAppendResult = readonly [logProbs: Float32Array, ...attention: (number | Float32Array)[]];

/** Log-probabilities of all continuations, one behind the other. */
export type NativeScoreResult = Float32Array;

export type NativeGenerateResult = readonly [
  tokens: Int32Array,
  logProbs: Float32Array,
  text: string,
  /** Index into FINISHES. */
  finish: number,
  stopId: number | undefined,
  stopText: string,
  stopLogProb: number,
];

export type NativeOnToken = (itemId: number, id: number, text: string, logProb: number) => void;

/** Promises reject with an `Error` that has a `code`. One call that returns a promise at a time. */
export interface NativeContext {
  create(): Promise<void>;

  /**
   * Starts the new items and decodes for them and for those of earlier calls that are not done, until at least one is
   * done, or `yield()` or `interrupt()` was called. Resolves with those done: id, error or undefined, result, three
   * entries each, in the order they were started.
   */
  run(commands: Int32Array, items: readonly NativeItem[]): Promise<unknown[]>;

  appendImage(commands: Int32Array, sequence: number, image: NativeEmbedding): Promise<void>;
  save(commands: Int32Array, sequence: number): Promise<Uint8Array>;
  /** `scratch` is an empty sequence, or -1. Resolves with nTokens and nPos. */
  restore(commands: Int32Array, sequence: number, scratch: number, state: Uint8Array): Promise<[number, number]>;

  counters(): NativeCounters;
  memory(): NativeMemory[];
  /** Stops the pending call soon, also in the middle of a batch: `run` resolves early, the others reject. */
  interrupt(): void;
  /** Makes a pending `run` resolve after its present batch. */
  yield(): void;
  dispose(): Promise<void>;
}
