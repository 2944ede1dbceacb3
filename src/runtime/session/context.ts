import type { NativeContext } from '../addon.js';
import { disposedError } from '../native-error.js';
import type { Sequence } from './request.js';
import { Scheduler } from './scheduler.js';
import { Session, type SessionContext, type SessionModel } from './session.js';
import type { ContextCounters, ContextOptions, GeneratedToken, MemoryByDevice } from '../types.js';

/** @internal What a context gets its generated tokens by. */
export type TokenListeners = Map<number, (token: GeneratedToken) => void>;

/** @internal The options of a context with what was left open filled in. */
export interface SettledContext {
  readonly nCtx: number;
  readonly nSeqMax: number;
  readonly nScratchMax: number;
  readonly capturesAttention: boolean;
  readonly kvType: KvType;
  readonly flashAttention: boolean | undefined;
}

type KvType = NonNullable<ContextOptions['kvType']>;

/** @internal What a context needs of its model. */
export interface ContextModel extends SessionModel {
  forget(context: Context): void;
}

/** A KV cache and the sessions that share it. */
export class Context implements SessionContext {
  readonly model: ContextModel;
  /** KV cells of all sessions together. */
  readonly nCtx: number;
  readonly nSeqMax: number;
  readonly capturesAttention: boolean;
  readonly kvType: KvType;
  /** Undefined where llama.cpp chooses. */
  readonly flashAttention: boolean | undefined;
  readonly #native: NativeContext;
  readonly #scheduler: Scheduler;
  readonly #listeners: TokenListeners;
  readonly #sessions = new Set<Session>();
  #disposed: Promise<void> | undefined;

  /** @internal */
  constructor(model: ContextModel, native: NativeContext, listeners: TokenListeners, settled: SettledContext) {
    const { nCtx, nSeqMax, nScratchMax, capturesAttention, kvType, flashAttention } = settled;
    this.model = model;
    this.nCtx = nCtx;
    this.nSeqMax = nSeqMax;
    this.capturesAttention = capturesAttention;
    this.kvType = kvType;
    this.flashAttention = flashAttention;
    this.#native = native;
    this.#listeners = listeners;
    this.#scheduler = new Scheduler(native, nSeqMax, nScratchMax);
  }

  /**
   * A new, empty session.
   *
   * @throws FramewrightError CONTEXT_FULL if all of nSeqMax are in use, DISPOSED
   */
  session(): Session {
    return this.adopt(this.#scheduler.openSequence());
  }

  /** Those that are open, forks among them. */
  get nSessions(): number {
    return this.#sessions.size;
  }

  /** Since the context was made. */
  counters(): ContextCounters {
    return this.native.counters();
  }

  /** What the context takes besides the model. */
  memory(): MemoryByDevice[] {
    return this.native.memory().map((entry) => ({ ...entry, modelBytes: 0 }));
  }

  /** Cancels what runs, disposes its sessions and frees it. May be called at any time, and more than once. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.model.forget(this);
    const closing = this.#scheduler.close();
    await Promise.all([...this.#sessions].map((session) => session.dispose()));
    await closing;
    await this.#native.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** @internal */
  get native(): NativeContext {
    if (this.#disposed) throw disposedError('context');
    return this.#native;
  }

  /** @internal */
  adopt(sequence: Sequence): Session {
    const session = new Session(this, this.#scheduler, sequence);
    this.#sessions.add(session);
    return session;
  }

  /** @internal */
  forget(session: Session): void {
    this.#sessions.delete(session);
  }

  /** @internal */
  streamTokens(itemId: number, listener: ((token: GeneratedToken) => void) | undefined): void {
    if (listener) this.#listeners.set(itemId, listener);
    else this.#listeners.delete(itemId);
  }
}
