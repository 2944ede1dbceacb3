import { setImmediate } from 'node:timers';
import { FramewrightError } from '../../base/errors.js';
import type { NativeContext, NativeItem } from '../addon.js';
import { COMMAND } from '../native-constants.js';
import { AbortListeners } from '../abort-listeners.js';
import { deferred, rejected } from '../deferred.js';
import { disposedError, fromNative } from '../native-error.js';
import type { Request, Sequence, Work } from './request.js';

/**
 * Decides what a context decodes next. One native call at a time; requests of one sequence in order; everything else that
 * waits goes into the next call together, in the order it came, so that requests made in one tick share their batches.
 */
export class Scheduler {
  readonly #native: NativeContext;
  readonly #nScratchMax: number;
  readonly #freeSequences: number[];
  readonly #active = new Map<number, Request>();
  readonly #aborts = new AbortListeners((signal) => this.#onAbort(signal));
  #queue: Request[] = [];
  #commands: number[] = [];
  #nextId = 1;
  #running: 'items' | Request | undefined;
  #planned = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(native: NativeContext, nSeqMax: number, nScratchMax: number) {
    this.#native = native;
    this.#nScratchMax = nScratchMax;
    this.#freeSequences = Array.from({ length: nSeqMax }, (_, i) => nSeqMax - 1 - i);
  }

  /** @throws FramewrightError CONTEXT_FULL if all sequences are taken */
  openSequence(): Sequence {
    if (this.#closed) throw disposedError('context');
    const id = this.#freeSequences.pop();
    if (id === undefined) throw noSequence();
    return { id, nTokens: 0, nPos: 0, nPending: 0, active: false, closed: false };
  }

  /** For use within the call that starts now. */
  anyFreeSequence(): number | undefined {
    return this.#freeSequences.at(-1);
  }

  command(name: keyof typeof COMMAND, a: number, b: number, c: number): void {
    this.#commands.push(COMMAND[name], a, b, c);
  }

  /**
   * @returns what `work.finish` (or an instant's `run`) returns
   * @throws FramewrightError of the native failure, DISPOSED; the signal's reason. The sequence is as before then.
   */
  submit<T>(sequence: Sequence, work: Work<T>, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return rejected(disposedError('context'));
    if (sequence.closed) return rejected(disposedError('session'));
    if (signal?.aborted) return rejected(signal.reason);
    if (work.kind === 'instant' && sequence.nPending === 0) {
      try {
        return Promise.resolve(work.run());
      } catch (error) {
        return rejected(error);
      }
    }
    const { promise, resolve, reject } = deferred<T>();
    this.#queue.push({
      sequence,
      work,
      signal,
      resolve: resolve as (value: unknown) => void,
      reject,
      id: 0,
      start: sequence,
      scratch: [],
      cancelled: false,
    });
    sequence.nPending++;
    if (signal) this.#aborts.add(signal);
    if (this.#running === 'items') this.#native.yield();
    else if (!this.#running) this.#plan();
    return promise;
  }

  /** Cancels the sequence's requests and gives its cells and its number back, once the running call is done with it. */
  async closeSequence(sequence: Sequence): Promise<void> {
    if (sequence.closed) return;
    sequence.closed = true;
    this.#cancel((request) => request.sequence === sequence, disposedError('session'));
    while (sequence.active) await this.#nextIdle();
    this.command('truncate', sequence.id, 0, 0);
    this.#freeSequences.push(sequence.id);
    if (this.#queue.length > 0) this.#plan();
  }

  /** Cancels everything; resolves when no native call runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel(() => true, disposedError('context'));
    while (this.#running) await this.#nextIdle();
    this.#aborts.clear();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    // After all microtasks of this tick: whatever they ask for goes into the same call.
    setImmediate(() => {
      this.#planned = false;
      if (!this.#running && !this.#closed) this.#startNext();
    });
  }

  #startNext(): void {
    const items: NativeItem[] = [];
    const waiting: Request[] = [];
    const blocked = new Set<Sequence>();
    let exclusive: Request | undefined;
    for (const request of this.#queue) {
      const { sequence, work } = request;
      // An exclusive call takes place in its turn: what came before it goes first, what came after it waits.
      const mustWait = exclusive ?? (sequence.active || blocked.has(sequence));
      if (!mustWait && work.kind === 'instant') {
        this.#runInstant(request, work.run.bind(work));
      } else if (!mustWait && work.kind === 'exclusive' && items.length === 0) {
        exclusive = request;
      } else if (!mustWait && work.kind === 'item' && this.#takeScratch(request, work.nScratch ?? 0)) {
        if (request.cancelled) continue;
        request.id = this.#nextId++;
        this.#begin(request);
        this.#active.set(request.id, request);
        items.push(work.item(request.id, Int32Array.from(request.scratch)));
      } else {
        blocked.add(sequence);
        waiting.push(request);
        if (work.kind === 'exclusive') exclusive ??= request;
      }
    }
    this.#queue = waiting;
    if (exclusive && !waiting.includes(exclusive)) this.#runExclusive(exclusive);
    else if (this.#active.size > 0) this.#runItems(items);
    else if (waiting.length === 0) this.#aborts.forgetUnused();
  }

  #begin(request: Request): void {
    const { nTokens, nPos } = request.sequence;
    request.start = { nTokens, nPos };
    request.sequence.active = true;
  }

  /** False: wait until another request gives its sequences back. The request is cancelled if none will. */
  #takeScratch(request: Request, nWanted: number): boolean {
    if (nWanted === 0) return true;
    if (this.#freeSequences.length === 0) {
      if ([...this.#active.values()].some(({ scratch }) => scratch.length > 0)) return false;
      this.#rejectQueued(request, noSequence());
      return true;
    }
    request.scratch = this.#freeSequences.splice(-Math.min(nWanted, this.#nScratchMax));
    return true;
  }

  #runInstant(request: Request, run: () => unknown): void {
    this.#forget(request);
    try {
      request.resolve(run());
    } catch (error) {
      request.reject(error);
    }
  }

  #runItems(items: readonly NativeItem[]): void {
    this.#running = 'items';
    this.#call((commands) => this.#native.run(commands, items)).then(
      (outcomes) => {
        for (let i = 0; i < outcomes.length; i += 3) {
          const request = this.#active.get(outcomes[i] as number)!;
          if (outcomes[i + 1] === undefined) this.#succeed(request, outcomes[i + 2]);
          else this.#fail(request, outcomes[i + 1]);
        }
        this.#afterCall();
      },
      (error: unknown) => {
        for (const request of this.#active.values()) {
          this.command('drop', request.id, 0, 0);
          this.#fail(request, error);
        }
        this.#afterCall();
      },
    );
  }

  #runExclusive(request: Request): void {
    this.#running = request;
    this.#begin(request);
    const { work } = request;
    if (work.kind !== 'exclusive') return;
    this.#call((commands) => work.run(commands)).then(
      (result) => {
        this.#succeed(request, result);
        this.#afterCall();
      },
      (error: unknown) => {
        this.#fail(request, error);
        this.#afterCall();
      },
    );
  }

  /** A native call that throws before it begins has failed like any other; its commands are then still to be done. */
  async #call<T>(start: (commands: Int32Array) => Promise<T>): Promise<T> {
    const commands = this.#commands;
    this.#commands = [];
    let running: Promise<T>;
    try {
      running = start(Int32Array.from(commands));
    } catch (error) {
      this.#commands = commands;
      throw error;
    }
    return await running;
  }

  #succeed(request: Request, result: unknown): void {
    if (request.cancelled) {
      this.#takeBack(request);
      this.#finish(request);
      return;
    }
    const value = request.work.kind === 'instant' ? undefined : request.work.finish(result);
    this.#finish(request);
    request.resolve(value);
  }

  #fail(request: Request, error: unknown): void {
    this.#takeBack(request);
    this.#finish(request);
    if (!request.cancelled) request.reject(fromNative(error));
  }

  /** Whatever it did to its sequences is undone before the next call does anything. */
  #takeBack({ sequence, start, scratch }: Request): void {
    this.command('truncate', sequence.id, start.nTokens, start.nPos);
    for (const id of scratch) this.command('truncate', id, 0, 0);
  }

  #finish(request: Request): void {
    this.#active.delete(request.id);
    this.#freeSequences.push(...request.scratch.reverse());
    request.sequence.active = false;
    this.#forget(request);
  }

  #forget({ sequence, signal }: Request): void {
    sequence.nPending--;
    if (signal) this.#aborts.remove(signal);
  }

  #rejectQueued(request: Request, error: unknown): void {
    request.cancelled = true;
    request.reject(error);
    this.#forget(request);
  }

  #afterCall(): void {
    this.#running = undefined;
    this.#dropCancelled();
    if (!this.#closed) this.#plan();
  }

  /** Between two native calls only. */
  #dropCancelled(): void {
    for (const request of [...this.#active.values()]) {
      if (!request.cancelled) continue;
      this.command('drop', request.id, 0, 0);
      this.#takeBack(request);
      this.#finish(request);
    }
    for (const wake of this.#idle.splice(0)) wake();
  }

  #nextIdle(): Promise<void> {
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Rejects one item with this reason. */
  cancelItem(id: number, reason: unknown): void {
    this.#cancel((request) => request.id === id && request.work.kind === 'item', reason);
  }

  #onAbort(signal: AbortSignal): void {
    this.#cancel((request) => request.signal === signal, signal.reason);
  }

  #cancel(concerns: (request: Request) => boolean, reason: unknown): void {
    const queued = this.#queue.filter(concerns);
    this.#queue = this.#queue.filter((request) => !concerns(request));
    for (const request of queued) this.#rejectQueued(request, reason);

    const running = this.#running;
    const started = [...this.#active.values()];
    if (running && running !== 'items') started.push(running);
    for (const request of started) {
      if (request.cancelled || !concerns(request)) continue;
      request.cancelled = true;
      request.reject(reason);
    }
    if (running === 'items') {
      // The others' batch goes on; only if nobody wants its result it is stopped in the middle.
      if (started.every(({ cancelled }) => cancelled)) this.#native.interrupt();
      else if (started.some(({ cancelled }) => cancelled)) this.#native.yield();
    } else if (running) {
      if (running.cancelled) this.#native.interrupt();
    } else {
      this.#dropCancelled();
    }
  }
}

function noSequence(): FramewrightError {
  return new FramewrightError(
    'CONTEXT_FULL',
    'every sequence of the context is in use; dispose sessions, or give it a greater nSeqMax',
  );
}
