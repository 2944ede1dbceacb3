/** A share of the budget, held until it is disposed. */
export interface HeldBytes extends Disposable {
  /** Gives back what is not needed after all. */
  shrinkTo(bytes: number): void;
}

/** Lets uploads hold at most so many bytes together; the others wait in the order they came. */
export class ByteBudget {
  #free: number;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** @param bytes at most the whole budget. Rejects with the signal's reason if it is aborted while waiting. */
  async take(bytes: number, signal: AbortSignal): Promise<HeldBytes> {
    signal.throwIfAborted();
    if (this.#waiting.length === 0 && bytes <= this.#free) this.#free -= bytes;
    else await this.#wait(bytes, signal);
    let held = bytes;
    const shrinkTo = (rest: number): void => {
      if (rest >= held) return;
      this.#free += held - rest;
      held = rest;
      this.#startNext();
    };
    return { shrinkTo, [Symbol.dispose]: () => shrinkTo(0) };
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', giveUp);
        this.#free -= bytes;
        resolve();
      };
      const entry = { bytes, start };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
        this.#startNext();
      };
      this.#waiting.push(entry);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      next.start();
    }
  }
}
