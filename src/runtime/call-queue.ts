import { disposedError, fromNative } from './native-error.js';

/**
 * Runs native calls one at a time. An aborted call rejects at once, and the next one starts when the native side has
 * let go of it.
 */
export class CallQueue {
  readonly #what: string;
  readonly #interrupt: () => void;
  readonly #closing = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();

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
  async run<T>(call: () => Promise<T>, signal?: AbortSignal, discard?: (result: T) => void): Promise<T> {
    if (this.#closing.signal.aborted) throw disposedError(this.#what);
    signal?.throwIfAborted();
    const before = this.#tail;
    return new Promise<T>((resolve, reject) => {
      const state = { running: false, cancelled: false };
      const cancel = (reason: unknown): void => {
        state.cancelled = true;
        reject(reason);
        if (state.running) this.#interrupt();
      };
      const onAbort = (): void => cancel(signal?.reason);
      const onClose = (): void => cancel(disposedError(this.#what));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#closing.signal.addEventListener('abort', onClose, { once: true });
      const release = (): void => {
        signal?.removeEventListener('abort', onAbort);
        this.#closing.signal.removeEventListener('abort', onClose);
      };
      const turn = async (): Promise<void> => {
        await before;
        try {
          if (state.cancelled) return;
          state.running = true;
          const result = await call();
          if (state.cancelled) discard?.(result);
          else resolve(result);
        } catch (error) {
          reject(fromNative(error));
        } finally {
          state.running = false;
          release();
        }
      };
      this.#tail = turn();
    });
  }

  /** Cancels every call; resolves when none runs any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#tail;
  }
}
