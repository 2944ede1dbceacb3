import { AbortListeners } from '../abort-listeners.js';
import { deferred, type Deferred } from '../deferred.js';
import { disposedError, fromNative } from '../native-error.js';

interface QueuedCall {
  readonly signal: AbortSignal | undefined;
  readonly result: Deferred<unknown>;
  state: 'waiting' | 'running' | 'settled';
}

/**
 * Runs native calls one at a time. An aborted call rejects at once, and the next one starts when the native side has
 * let go of it.
 */
export class CallQueue {
  readonly #what: string;
  readonly #interrupt: () => void;
  readonly #calls = new Set<QueuedCall>();
  readonly #aborts = new AbortListeners((signal) => this.#cancel((call) => call.signal === signal, signal.reason));
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  /** `interrupt` makes the native call that runs reject soon. */
  constructor(what: string, interrupt: () => void) {
    this.#what = what;
    this.#interrupt = interrupt;
  }

  /**
   * `discard` gets the result of a call that was aborted too late to stop it.
   *
   * @throws FramewrightError of the native failure, DISPOSED; the signal's reason
   */
  async run<T>(run: () => Promise<T>, signal?: AbortSignal, discard?: (result: T) => void): Promise<T> {
    if (this.#closed) throw disposedError(this.#what);
    signal?.throwIfAborted();
    const result = deferred<T>();
    const call: QueuedCall = { signal, result: result as Deferred<unknown>, state: 'waiting' };
    this.#calls.add(call);
    if (signal) this.#aborts.add(signal);
    this.#tail = this.#tail.then(async () => {
      await this.#start(call, run, discard);
      this.#calls.delete(call);
      if (signal) this.#aborts.remove(signal);
      this.#aborts.forgetUnused();
    });
    return result.promise;
  }

  async #start<T>(call: QueuedCall, run: () => Promise<T>, discard?: (result: T) => void): Promise<void> {
    if (call.state === 'settled') return;
    call.state = 'running';
    try {
      const value = await run();
      if (settle(call)) call.result.resolve(value);
      else discard?.(value);
    } catch (error) {
      if (settle(call)) call.result.reject(fromNative(error));
    }
  }

  /** Rejects every call with this reason. */
  cancel(reason: unknown): void {
    this.#cancel(() => true, reason);
  }

  #cancel(concerns: (call: QueuedCall) => boolean, reason: unknown): void {
    for (const call of this.#calls) {
      if (!concerns(call)) continue;
      if (call.state === 'running') this.#interrupt();
      if (settle(call)) call.result.reject(reason);
    }
  }

  /** Cancels every call; resolves when none runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.cancel(disposedError(this.#what));
    await this.#tail;
  }
}

/** False if it was settled before. */
function settle(call: QueuedCall): boolean {
  const first = call.state !== 'settled';
  call.state = 'settled';
  return first;
}
