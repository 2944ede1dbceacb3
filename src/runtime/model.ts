import { familyOfArchitecture, familyTitles, whyRefused, type ModelFamily } from '../../gguf/index.js';
import { FramewrightError } from '../base/errors.js';
import type { Size } from '../base/geometry.js';
import type { NativeAddon, NativeModel } from './addon.js';
import type { CallQueue } from './session/call-queue.js';
import { checkInteger } from './check.js';
import { checkGrammar } from './session/grammar-check.js';
import { Context, type TokenListeners } from './session/context.js';
import { ImageEmbedding } from './image-embedding.js';
import { FLASH_ATTENTION, KV_TYPE, MAX_SEQUENCES } from './native-constants.js';
import { disposedError, fromNative } from './native-error.js';
import type { ContextOptions, MemoryByDevice, ModelFacts } from './types.js';

/** What `loadModel` settled on. */
export interface ModelSettings {
  readonly threads: number;
  /** Whether `threads` is the most a context takes while nobody else needs the processors. */
  readonly followsLoad: boolean;
  readonly imageMinTokens: number;
  readonly imageMaxTokens: number;
}

/** A text model with its vision tower. */
export class VisionModel {
  readonly facts: ModelFacts;
  readonly family: ModelFamily;
  /** Side of the square of the frame that becomes one token of the image, in pixels. */
  readonly cellPx: number;
  readonly settings: ModelSettings;
  readonly #addon: NativeAddon;
  readonly #native: NativeModel;
  readonly #queue: CallQueue;
  readonly #onDispose: (model: VisionModel) => void;
  readonly #contexts = new Set<Context>();
  readonly #checkedGrammars = new Set<string>();
  #disposed: Promise<void> | undefined;

  /** @internal */
  constructor(
    addon: NativeAddon,
    native: NativeModel,
    queue: CallQueue,
    settings: ModelSettings,
    onDispose: (model: VisionModel) => void,
  ) {
    const { metadata, ...facts } = native.facts();
    const pairs = metadata.flatMap((key, i) => (i % 2 === 0 ? [[key, metadata[i + 1]!] as const] : []));
    this.facts = { ...facts, metadata: Object.fromEntries(pairs) };
    this.family = requireFamily(this.facts);
    this.cellPx = this.facts.cellPx;
    const { threads, followsLoad, imageMinTokens, imageMaxTokens } = settings;
    this.settings = { threads, followsLoad, imageMinTokens, imageMaxTokens };
    this.#addon = addon;
    this.#native = native;
    this.#queue = queue;
    this.#onDispose = onDispose;
  }

  /** The weights of both files on each device. Without the vision tower's while it is released. */
  memory(): MemoryByDevice[] {
    return this.#live().memory();
  }

  /** With `special`, names of special tokens become these; else they are text like any other. */
  tokenize(text: string, { special = false }: { readonly special?: boolean } = {}): Int32Array {
    return this.#live().tokenize(text, special);
  }

  /** Special tokens are spelled out; bytes that are no UTF-8 become U+FFFD. */
  detokenize(tokens: Int32Array | readonly number[]): string {
    const ids = Int32Array.from(tokens);
    for (const id of ids) checkInteger('a token', id, 0, this.facts.nVocab - 1);
    return this.#live().detokenize(ids);
  }

  tokenText(id: number): string {
    return this.#live().tokenText(checkInteger('a token', id, 0, this.facts.nVocab - 1));
  }

  /**
   * Runs the vision tower on an image. Images are encoded one after the other, beside whatever the contexts decode.
   *
   * @param rgb width * height * 3 bytes, sRGB; copied before this returns
   * @param size both sides multiples of `cellPx`, within the model's image token limits
   * @throws FramewrightError USAGE, DECODE, DISPOSED; the signal's reason
   */
  async encodeImage(
    rgb: Uint8Array,
    size: Size,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ImageEmbedding> {
    const { width, height } = size;
    this.#checkImage(rgb, size);
    const native = await this.#queue.run(
      () => this.#native.encodeImage(rgb, width, height),
      signal,
      (unwanted) => unwanted.dispose(),
    );
    return new ImageEmbedding(this, native, { width, height });
  }

  /**
   * Gives the vision tower's memory back once the images before this call are encoded. The next image loads it again,
   * which takes about as long as reading its file.
   */
  async releaseEncoder(): Promise<void> {
    await this.#queue.run(() => this.#native.releaseEncoder());
  }

  #checkImage(rgb: Uint8Array, { width, height }: Size): void {
    for (const side of [width, height])
      if (!Number.isInteger(side) || side < this.cellPx || side % this.cellPx !== 0)
        throw new FramewrightError(
          'USAGE',
          `expected an image with sides that are multiples of ${this.cellPx} but received ${width} x ${height}`,
        );
    if (rgb.length !== width * height * 3)
      throw new FramewrightError(
        'USAGE',
        `expected ${width * height * 3} bytes of RGB for ${width} x ${height} but received ${rgb.length}`,
      );
    const nTokens = (width / this.cellPx) * (height / this.cellPx);
    const { imageMinTokens, imageMaxTokens } = this.settings;
    if (nTokens < imageMinTokens || nTokens > imageMaxTokens)
      throw new FramewrightError(
        'USAGE',
        `an image of ${width} x ${height} takes ${nTokens} tokens, and the model was loaded for ${imageMinTokens} to ` +
          `${imageMaxTokens}; resize it, or change imageMinTokens and imageMaxTokens`,
      );
  }

  /** @throws FramewrightError MODEL_LOAD if the memory does not suffice, USAGE, DISPOSED */
  async createContext(options: ContextOptions): Promise<Context> {
    const { captureAttention = false, kvType = 'f16', flashAttention = captureAttention ? false : undefined } = options;
    const nCtx = checkInteger('nCtx', options.nCtx, 1, 2 ** 24);
    const nSeqMax = checkInteger('nSeqMax', options.nSeqMax ?? 16, 1, MAX_SEQUENCES);
    const nScratchMax = checkInteger('nScratchMax', options.nScratchMax ?? nSeqMax, 1, nSeqMax);
    const nBatch = checkInteger('nBatch', options.nBatch ?? Math.min(nCtx, 2048), 1, nCtx);
    const threads = checkInteger('threads', options.threads ?? this.settings.threads, 1, 512);
    if (captureAttention && flashAttention !== false)
      throw new FramewrightError('USAGE', 'captureAttention needs flashAttention: false, or to be left to its default');
    // llama.cpp parts the batches of its sequences, and attention would have to be put together again.
    if (captureAttention && this.family.isRecurrent && nSeqMax > 1)
      throw new FramewrightError('USAGE', `captureAttention needs nSeqMax: 1 of a ${this.family.title}`);
    if (kvType === 'q8_0' && flashAttention === false)
      throw new FramewrightError('USAGE', 'kvType q8_0 needs flash attention');

    const listeners: TokenListeners = new Map();
    const native = new this.#addon.Context(
      this.#live(),
      {
        nCtx,
        nSeqMax,
        nBatch,
        kvType: KV_TYPE[kvType],
        flashAttention: flashAttentionType(flashAttention),
        threads,
        // Flash attention may add up in another order on another number of threads.
        followsLoad: options.threads === undefined && this.settings.followsLoad && flashAttention === false,
        captureAttention,
      },
      (itemId, id, text, logProb) => listeners.get(itemId)?.({ id, text, logProb }),
    );
    try {
      await native.create();
      this.#live();
    } catch (error) {
      await native.dispose();
      throw fromNative(error);
    }
    const settled = { nCtx, nSeqMax, nScratchMax, capturesAttention: captureAttention, kvType, flashAttention };
    const context = new Context(this, native, listeners, settled);
    this.#contexts.add(context);
    return context;
  }

  /** Disposes its contexts and frees it. May be called at any time, and more than once. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#onDispose(this);
    await Promise.all([this.#queue.close(), ...[...this.#contexts].map((context) => context.dispose())]);
    await this.#native.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #live(): NativeModel {
    if (this.#disposed) throw disposedError('model');
    return this.#native;
  }

  /** @internal Checks a grammar, once. */
  checkGrammar(grammar: string): void {
    if (this.#checkedGrammars.has(grammar)) return;
    checkGrammar(grammar, (name) => this.tokenize(name, { special: true }).length === 1);
    if (this.#checkedGrammars.size >= 100) this.#checkedGrammars.clear();
    this.#checkedGrammars.add(grammar);
  }

  /** @internal */
  forget(context: Context): void {
    this.#contexts.delete(context);
  }
}

function requireFamily({ metadata }: ModelFacts): ModelFamily {
  const architecture = metadata['general.architecture'];
  const family = familyOfArchitecture(architecture);
  if (family) return family;
  throw new FramewrightError(
    'MODEL_UNSUPPORTED',
    `models of the architecture ${architecture ?? '(not named)'} are not run: ` +
      (whyRefused(architecture) ?? `only ${familyTitles()} are`),
  );
}

/** @internal */
export function flashAttentionType(wanted: boolean | undefined): number {
  return wanted === undefined ? FLASH_ATTENTION.auto : wanted ? FLASH_ATTENTION.on : FLASH_ATTENTION.off;
}
