/** Which family of devices to run on. `auto` takes the best one that loads; the others fall back to `cpu` and say why. */
export type GpuChoice = 'auto' | 'cuda' | 'vulkan' | 'metal' | 'cpu';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

export interface RuntimeOptions {
  /** Explicit `.node` file; default: a local source build, else the one compiled at installing, else the one that a package brought. */
  readonly addonPath?: string;
  /** Default `auto`. */
  readonly gpu?: GpuChoice;
  /**
   * Which of the CPU backend's variants computes, by its name, e.g. `haswell`. Default: FRAMEWRIGHT_CPU, or else the one
   * that makes the most of this processor. A process has one: the first runtime opened in it decides, and asking for
   * another later is an error.
   */
  readonly cpu?: string;
}

export interface DeviceInfo {
  readonly name: string;
  readonly description: string;
  readonly kind: 'cpu' | 'gpu' | 'igpu' | 'accel';
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
}

export interface RuntimeInfo {
  /** llama.cpp release the libraries were built from, by its tag. */
  readonly llamaVersion: string;
  readonly addonPath: string;
  /**
   * `prebuilt`: our addon from a package of its own, on node-llama-cpp's prebuilt libraries; `default`: the same, compiled
   * here; `source`: everything compiled here.
   */
  readonly build: 'prebuilt' | 'default' | 'source' | 'explicit';
  readonly backend: Exclude<GpuChoice, 'auto'>;
  /** Why a better or requested backend is not in use, one line each, e.g. `cuda: libcudart.so.13 not found`. */
  readonly fallbacks: readonly string[];
  readonly devices: readonly DeviceInfo[];
  /** The CPU backend's variant in use, e.g. `haswell`; undefined for a build from source, which has only its own. */
  readonly cpuVariant: string | undefined;
  /** Formats the CPU backend repacks weights into, e.g. `AMX`: some take more memory than the file's. */
  readonly hostFormats: readonly string[];
}

export interface LoraSpec {
  readonly path: string;
  /** Multiplies alpha / r. Default 1. */
  readonly scale?: number;
}

export interface ModelOptions {
  readonly path: string;
  readonly mmprojPath: string;
  /** Default: true for a file of 64 MiB or more; a smaller one is read. */
  readonly mmap?: boolean;
  /** Layers of the text model on the GPU; default: all of them on a GPU backend, 0 on cpu. */
  readonly gpuLayers?: number;
  /** Default: true on a GPU backend. */
  readonly projectorOnGpu?: boolean;
  /**
   * Default: as many as the physical cores the process may use (cgroup limits respected), and on a CPU backend fewer while
   * other work on the machine leaves fewer free. A number given is kept to.
   */
  readonly threads?: number;
  /** Default `auto`. For the vision tower; the text model's is an option of its context. */
  readonly flashAttention?: boolean;
  /** Caps of merged image tokens (28x28 px in a Qwen2.5-VL) an image may take. The vision tower is quadratic in them. Default 4..1280. */
  readonly imageMinTokens?: number;
  readonly imageMaxTokens?: number;
  readonly loras?: readonly LoraSpec[];
  /** Fraction 0..1 over both files. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface ModelFacts {
  readonly description: string;
  readonly nParams: number;
  readonly sizeBytes: number;
  readonly nVocab: number;
  readonly nEmbd: number;
  /** Values of an image's token: nEmbd, and as many more for each layer that adds some of the vision tower's (deepstack). */
  readonly nEmbdInput: number;
  /** Side of the square of the frame that becomes one token of the image, in pixels. */
  readonly cellPx: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nCtxTrain: number;
  readonly chatTemplate: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface MemoryByDevice {
  readonly device: string;
  readonly modelBytes: number;
  readonly contextBytes: number;
  readonly computeBytes: number;
}

export interface ContextOptions {
  /** Cells of KV cache shared by all sequences. */
  readonly nCtx: number;
  /** Sequences alive at once: sessions + forks + parallel continuations. 1..256, default 16. */
  readonly nSeqMax?: number;
  /** Sequences that one call of `Session.score` may take of these at most. Default: all that are free. */
  readonly nScratchMax?: number;
  /** Tokens a llama_decode call may take; also the physical batch. Default min(nCtx, 2048). */
  readonly nBatch?: number;
  /** Default f16. With f32 and no flash attention a result does not depend on what else is in its batch by 1e-4. */
  readonly kvType?: 'f16' | 'q8_0' | 'f32';
  /**
   * Default: on where llama.cpp can. On a CPU it halves the time of long prompts, but single tokens take up to twice as
   * long and small batches of several sequences up to ten times (toys of 0.2 to 300 million parameters, 2026-11).
   */
  readonly flashAttention?: boolean;
  /** Default: the model's, and as many as are free of these where that follows the load and flash attention is off. */
  readonly threads?: number;
  /**
   * Makes `AppendOptions.attention` possible, and needs flash attention off, which is its default then; of a recurrent model also
   * `nSeqMax: 1`.
   */
  readonly captureAttention?: boolean;
}

export interface AppendOptions {
  /**
   * Token ids whose log-probabilities are wanted at the position after the last appended token: log-softmax over the
   * whole vocabulary (not only over these ids).
   */
  readonly choices?: Int32Array;
  /**
   * Layers whose attention (softmax of K·Q) to return, for every appended token. A layer that keeps a running state instead (most
   * of a Qwen3.5's) has none, and is left out of the result.
   */
  readonly attention?: { readonly layers: readonly number[] };
  readonly signal?: AbortSignal;
}

export interface AppendResult {
  /** Same order as `choices`; empty without. Natural logarithm. */
  readonly logProbs: Float32Array;
  readonly attention?: readonly LayerAttention[];
}

export interface LayerAttention {
  readonly layer: number;
  readonly nHead: number;
  readonly nTokens: number;
  /** Cells of this sequence, in order of appending: nTokens of the whole session so far. */
  readonly nKv: number;
  /** Row major `[nHead][nTokens][nKv]`, each row sums to 1. */
  readonly weights: Float32Array;
}

export interface GenerateOptions {
  /** GBNF; root rule `root`. Without it the vocabulary is free; with it control tokens never fit its characters. */
  readonly grammar?: string;
  readonly maxTokens: number;
  /** 0 (default) is greedy. */
  readonly temperature?: number;
  /** A whole number, of which 32 bits count. Default 0: the same choices every time. */
  readonly seed?: number;
  /**
   * Generation ends before a token whose text contains one of these; that token is not appended to the session
   * and is given back as `stopToken`.
   */
  readonly stopTexts?: readonly string[];
  readonly onToken?: (token: GeneratedToken) => void;
  readonly signal?: AbortSignal;
}

export interface GeneratedToken {
  readonly id: number;
  /** Bytes of the token decoded; may hold an incomplete UTF-8 sequence as U+FFFD, `GenerateResult.text` does not. */
  readonly text: string;
  /** Natural log-probability under the whole vocabulary's softmax, before grammar and temperature. */
  readonly logProb: number;
}

export interface GenerateResult {
  readonly tokens: Int32Array;
  readonly text: string;
  readonly logProbs: Float32Array;
  /** A stop text; the end of the model's turn, or a grammar that allows nothing more; `maxTokens`. */
  readonly finish: 'stop' | 'end' | 'length';
  /** The token that was chosen and not appended: it holds the stop text, or ends the turn. */
  readonly stopToken?: GeneratedToken;
}

/** Counted since the context was made; what bench and tests print. */
export interface ContextCounters {
  /** Calls of llama_decode. */
  readonly nDecodeCalls: number;
  /** Tokens (text and image) that went through llama_decode. */
  readonly nTokensDecoded: number;
  /** Calls of llama_decode that carried exactly one new token per sequence: the classic sampling step. */
  readonly nSingleTokenSteps: number;
  /** Time inside llama_decode and reading its outputs. */
  readonly decodeMs: number;
  /** Of it, calls that carried an image. */
  readonly imageMs: number;
  /** Of it, single token steps. */
  readonly stepMs: number;
  /** Reading log-probabilities and choosing tokens, after the calls and not counted in `decodeMs`. */
  readonly readMs: number;
  /** No sum: the threads of the next call. */
  readonly nThreads: number;
}
