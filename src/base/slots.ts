/** Lets at most `count` tasks run at once; the others wait in the order they came. */
export class Slots {
  #count: number;
  /** Below 0 while more run than there are slots by now. */
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Where more run already, they go on, and others wait for longer. */
  resize(count: number): void {
    this.#free += count - this.#count;
    this.#count = count;
    this.#startWaiting();
  }

  /** Runs `task` in a slot. Rejects with the signal's reason if it is aborted while waiting. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    using _slot = await this.take(signal);
    return await task();
  }

  /** A slot of one's own until it is disposed. Rejects with the signal's reason if it is aborted while waiting. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    await this.#wait(signal);
    return { [Symbol.dispose]: () => this.#release() };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal!.reason as Error);
      };
      this.#waiting.push(start);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  #release(): void {
    this.#free++;
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#free > 0 && this.#waiting.length > 0) {
      this.#free--;
      this.#waiting.shift()!();
    }
  }
}
