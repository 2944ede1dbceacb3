/**
 * One listener a signal, however many requests it belongs to: adding one costs microseconds, and Node warns at the
 * eleventh. `forgetUnused` takes the listeners of signals without requests off.
 */
export class AbortListeners {
  readonly #onAbort: (signal: AbortSignal) => void;
  readonly #signals = new Map<AbortSignal, { nRequests: number; readonly listener: () => void }>();

  constructor(onAbort: (signal: AbortSignal) => void) {
    this.#onAbort = onAbort;
  }

  add(signal: AbortSignal): void {
    let entry = this.#signals.get(signal);
    if (!entry) {
      entry = { nRequests: 0, listener: () => this.#onAbort(signal) };
      signal.addEventListener('abort', entry.listener, { once: true });
      this.#signals.set(signal, entry);
    }
    entry.nRequests++;
  }

  remove(signal: AbortSignal): void {
    const entry = this.#signals.get(signal);
    if (entry) entry.nRequests--;
  }

  forgetUnused(): void {
    for (const [signal, { nRequests, listener }] of this.#signals) {
      if (nRequests > 0) continue;
      signal.removeEventListener('abort', listener);
      this.#signals.delete(signal);
    }
  }

  clear(): void {
    for (const [signal, { listener }] of this.#signals) signal.removeEventListener('abort', listener);
    this.#signals.clear();
  }
}
