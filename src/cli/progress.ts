/** One status line on stderr that rewrites itself; silent where stderr is not a terminal. */
export class Progress {
  readonly #animated: boolean;
  #shown = false;

  constructor(animated = process.stderr.isTTY) {
    this.#animated = animated;
  }

  show(text: string): void {
    if (!this.#animated) return;
    process.stderr.write(`\r\x1b[K${text.slice(0, Math.max(20, process.stderr.columns - 1))}`);
    this.#shown = true;
  }

  /** Takes the line away, so that other output starts on a clean one. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}
