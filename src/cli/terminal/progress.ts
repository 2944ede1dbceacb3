import { visible } from './visible.js';

/** Off a terminal a line now and then is enough to see in a log that the work goes on. */
const LOG_EVERY_MS = 30_000;

/** One status line on stderr: rewritten in place on a terminal, elsewhere written anew every half minute. */
export class Progress {
  readonly #animated: boolean;
  #shown = false;
  #loggedAt = performance.now();

  constructor(animated = process.stderr.isTTY) {
    this.#animated = animated;
  }

  show(given: string): void {
    const text = visible(given);
    if (!this.#animated) {
      if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
      this.#loggedAt = performance.now();
      process.stderr.write(`framewright: ${text}\n`);
      return;
    }
    process.stderr.write(`\r\x1b[K${text.slice(0, Math.max(20, process.stderr.columns - 1))}`);
    this.#shown = true;
  }

  /** Takes the line away, so that other output starts on a clean one. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}
