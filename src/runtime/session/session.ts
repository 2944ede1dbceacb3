import { FramewrightError } from '../../base/errors.js';
import type { NativeAppendResult, NativeContext, NativeGenerateResult, NativeScoreResult } from '../addon.js';
import { FINISHES, ITEM } from '../native-constants.js';
import { checkInteger, checkTokens } from '../check.js';
import { Cuts } from './cuts.js';
import { branchesOf, concatenate } from './continuations.js';
import type { ImageEmbedding } from '../image-embedding.js';
import { rejected } from '../deferred.js';
import { guardListener } from '../listener.js';
import { disposedError } from '../native-error.js';
import type { Sequence } from './request.js';
import type { Scheduler } from './scheduler.js';
import type {
  AppendOptions,
  AppendResult,
  GenerateOptions,
  GenerateResult,
  GeneratedToken,
  LayerAttention,
  ModelFacts,
} from '../types.js';

/** A place in a session to roll back to. Costs nothing to keep. */
export interface Mark {
  readonly session: Session;
  /** How often the session had been cut back. */
  readonly nCuts: number;
  readonly nTokens: number;
  readonly nPos: number;
}

/** @internal What a session needs of its model. */
export interface SessionModel {
  readonly facts: ModelFacts;
  checkGrammar(grammar: string): void;
}

/** @internal What a session needs of its context. */
export interface SessionContext {
  readonly model: SessionModel;
  readonly native: NativeContext;
  readonly capturesAttention: boolean;
  adopt(sequence: Sequence): Session;
  forget(session: Session): void;
  streamTokens(itemId: number, listener: ((token: GeneratedToken) => void) | undefined): void;
}

/**
 * One sequence in its context's KV cache. Its calls take effect in the order they are made, without waiting for each
 * other's promises; calls of several sessions of a context that are made together are decoded together. A call that fails
 * or is aborted leaves the session as it was before.
 */
export class Session {
  readonly context: SessionContext;
  readonly #scheduler: Scheduler;
  readonly #sequence: Sequence;
  readonly #cuts = new Cuts();

  /** @internal */
  constructor(context: SessionContext, scheduler: Scheduler, sequence: Sequence) {
    this.context = context;
    this.#scheduler = scheduler;
    this.#sequence = sequence;
  }

  /** Tokens in the session: text, and one for each cell of an image (28x28 px in a Qwen2.5-VL). */
  get nTokens(): number {
    return this.#sequence.nTokens;
  }

  /** M-RoPE positions: those of text are its tokens, an image takes as many as its longer side has tokens. */
  get nPos(): number {
    return this.#sequence.nPos;
  }

  /**
   * Appends text. With `choices`, also tells how probable each of them is as the next token. No tokens and `choices` ask
   * about the present end: free after an append, one decoded token after a rollback or a restore, an error after an image.
   *
   * @throws FramewrightError CONTEXT_FULL, DECODE, USAGE, DISPOSED; the signal's reason
   */
  append(tokens: Int32Array, options: AppendOptions = {}): Promise<AppendResult> {
    const { choices, attention, signal } = options;
    try {
      this.#check(tokens, choices, attention?.layers);
    } catch (error) {
      return rejected(error);
    }
    const sequence = this.#sequence;
    return this.#scheduler.submit(
      sequence,
      {
        kind: 'item',
        item: (id) => [
          id,
          ITEM.append,
          sequence.id,
          tokens,
          choices,
          attention ? Int32Array.from(attention.layers) : undefined,
        ],
        finish: (result) => {
          sequence.nTokens += tokens.length;
          sequence.nPos += tokens.length;
          return toAppendResult(result as NativeAppendResult, attention !== undefined, tokens.length, sequence.nTokens);
        },
      },
      signal,
    );
  }

  #check(tokens: Int32Array, choices: Int32Array | undefined, layers: readonly number[] | undefined): void {
    const { model } = this.context;
    checkTokens('tokens', tokens, model.facts.nVocab);
    if (choices) checkTokens('choices', choices, model.facts.nVocab);
    if (!layers) return;
    if (!this.context.capturesAttention)
      throw new FramewrightError('USAGE', 'attention needs a context made with captureAttention: true');
    for (const layer of layers) checkInteger('an attention layer', layer, 0, model.facts.nLayer - 1);
  }

  /**
   * Appends an image's own tokens; `<|vision_start|>` before and `<|vision_end|>` behind it are text.
   *
   * @throws FramewrightError CONTEXT_FULL, DECODE, USAGE for an image of another model, DISPOSED; the signal's reason
   */
  async appendImage(embedding: ImageEmbedding, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const sequence = this.#sequence;
    await embedding.lend(this.context.model, async (native) => {
      if (!native) throw new FramewrightError('USAGE', 'the image was encoded by another model than the session runs');
      await this.#scheduler.submit(
        sequence,
        {
          kind: 'exclusive',
          run: (commands) => this.context.native.appendImage(commands, sequence.id, native),
          finish: () => {
            sequence.nTokens += embedding.nTokens;
            sequence.nPos += embedding.nPos;
          },
        },
        signal,
      );
    });
  }

  /**
   * Lets the model go on until a stop text, the end of its turn or of the grammar, or `maxTokens`. The session then holds
   * exactly the tokens of the result.
   *
   * @throws FramewrightError GRAMMAR if the grammar cannot be parsed or nothing in the vocabulary fits it, CONTEXT_FULL,
   * DECODE, USAGE, DISPOSED; the signal's reason; whatever `onToken` throws
   */
  async generate(options: GenerateOptions): Promise<GenerateResult> {
    const { grammar, temperature = 0, seed = 0, stopTexts = [], onToken, signal } = options;
    const maxTokens = checkInteger('maxTokens', options.maxTokens, 1, 2 ** 31 - 1);
    if (!(temperature >= 0 && Number.isFinite(temperature)))
      throw new FramewrightError('USAGE', `expected a temperature of 0 or more but received ${temperature}`);
    if (grammar !== undefined) this.context.model.checkGrammar(grammar);
    const sequence = this.#sequence;
    let itemId = 0;
    const listener = onToken && guardListener(onToken, (error) => this.#scheduler.cancelItem(itemId, error));
    try {
      return await this.#scheduler.submit(
        sequence,
        {
          kind: 'item',
          item: (id) => {
            itemId = id;
            const streams = listener !== undefined;
            if (listener) this.context.streamTokens(id, listener);
            return [id, ITEM.generate, sequence.id, grammar, maxTokens, temperature, seed >>> 0, stopTexts, streams];
          },
          finish: (result) => {
            const generated = toGenerateResult(result as NativeGenerateResult);
            sequence.nTokens += generated.tokens.length;
            sequence.nPos += generated.tokens.length;
            return generated;
          },
        },
        signal,
      );
    } finally {
      this.context.streamTokens(itemId, undefined);
    }
  }

  /**
   * Log-probability (natural) of each token of each continuation, had it been appended here. All are decoded as parallel
   * sequences, what they begin with in common once. The session stays as it is.
   *
   * @throws FramewrightError CONTEXT_FULL if not even one continuation fits or no sequence is free, DECODE, USAGE, DISPOSED;
   * the signal's reason
   */
  async score(
    continuations: readonly Int32Array[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Float32Array[]> {
    for (const tokens of continuations) checkTokens('a continuation', tokens, this.context.model.facts.nVocab);
    const lengths = Int32Array.from(continuations, ({ length }) => length);
    if (lengths.every((length) => length === 0)) return continuations.map(() => new Float32Array(0));
    const sequence = this.#sequence;
    return this.#scheduler.submit(
      sequence,
      {
        kind: 'item',
        nScratch: branchesOf(continuations),
        item: (id, scratch) => [id, ITEM.score, sequence.id, concatenate(continuations), lengths, scratch],
        finish: (result) => {
          let from = 0;
          return continuations.map(({ length }) => (result as NativeScoreResult).slice(from, (from += length)));
        },
      },
      signal,
    );
  }

  /** A second session that goes on from here. Costs nothing: the cache's cells are shared, and a recurrent model's state until one of them goes on. */
  async fork(): Promise<Session> {
    const sequence = this.#sequence;
    return this.#scheduler.submit(sequence, {
      kind: 'instant',
      run: () => {
        const copy = this.#scheduler.openSequence();
        this.#scheduler.command('copy', sequence.id, copy.id, 0);
        copy.nTokens = sequence.nTokens;
        copy.nPos = sequence.nPos;
        return this.context.adopt(copy);
      },
    });
  }

  /** Where the session stands once the calls that were awaited are counted. */
  mark(): Mark {
    if (this.#sequence.closed) throw disposedError('session');
    return { session: this, nCuts: this.#cuts.count, nTokens: this.nTokens, nPos: this.nPos };
  }

  /**
   * Forgets what was appended since the mark. The next append goes on from there; what comes next at the mark itself
   * (`generate`, `score`, or an append of no tokens) decodes the token before it once more. A recurrent model (Qwen3.5) decodes
   * all text since the last image before the mark once more; forking there instead costs nothing.
   *
   * @throws FramewrightError USAGE for a mark of another session or one that was rolled back over, or restored over
   */
  async rollback(to: Mark): Promise<void> {
    const sequence = this.#sequence;
    await this.#scheduler.submit(sequence, {
      kind: 'instant',
      run: () => {
        if (to.session !== this || to.nTokens > this.#cuts.deepestSince(to.nCuts))
          throw new FramewrightError('USAGE', 'the mark is of another session, or the session was rolled back past it');
        this.#cuts.add(to.nTokens);
        this.#scheduler.command('truncate', sequence.id, to.nTokens, to.nPos);
        sequence.nTokens = to.nTokens;
        sequence.nPos = to.nPos;
      },
    });
  }

  /** The session's tokens, positions and cache, for `restore` in any context of the same model, adapters and kvType. */
  async save(): Promise<Uint8Array> {
    const sequence = this.#sequence;
    return this.#scheduler.submit(sequence, {
      kind: 'exclusive',
      run: (commands) => this.context.native.save(commands, sequence.id),
      finish: (state) => state as Uint8Array,
    });
  }

  /**
   * Puts a saved session in the place of this one.
   *
   * @throws FramewrightError USAGE for damaged bytes or those of another model, CONTEXT_FULL, DISPOSED
   */
  async restore(state: Uint8Array): Promise<void> {
    const sequence = this.#sequence;
    await this.#scheduler.submit(sequence, {
      kind: 'exclusive',
      run: (commands) =>
        this.context.native.restore(commands, sequence.id, this.#scheduler.anyFreeSequence() ?? -1, state),
      finish: (result) => {
        this.#cuts.add(0);
        [sequence.nTokens, sequence.nPos] = result as [number, number];
      },
    });
  }

  /** Cancels its calls and gives its cells back to the context. */
  async dispose(): Promise<void> {
    this.context.forget(this);
    await this.#scheduler.closeSequence(this.#sequence);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function toAppendResult(
  [logProbs, ...layers]: NativeAppendResult,
  captured: boolean,
  nTokens: number,
  nKv: number,
): AppendResult {
  if (!captured) return { logProbs };
  const attention: LayerAttention[] = [];
  for (let i = 0; i < layers.length; i += 3) {
    attention.push({
      layer: layers[i] as number,
      nHead: layers[i + 1] as number,
      nTokens,
      nKv,
      weights: layers[i + 2] as Float32Array,
    });
  }
  return { logProbs, attention };
}

function toGenerateResult(result: NativeGenerateResult): GenerateResult {
  const [tokens, logProbs, text, finish, id, stopText, logProb] = result;
  return {
    tokens,
    text,
    logProbs,
    finish: FINISHES[finish] ?? 'length',
    ...(id === undefined ? {} : { stopToken: { id, text: stopText, logProb } }),
  };
}
