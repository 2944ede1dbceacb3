import type { Size } from '../base/geometry.js';
import type { NativeEmbedding } from './addon.js';
import { disposedError } from './native-error.js';

/** What the vision tower made of one image. Any number of sessions of its model may take it, as often as they like. */
export class ImageEmbedding {
  /** Tokens it takes in a session: one for each cell of the frame. */
  readonly nTokens: number;
  /** M-RoPE positions it takes: the longer side in tokens. */
  readonly nPos: number;
  readonly size: Size;
  /** Told apart by identity alone. */
  readonly #model: object;
  readonly #native: NativeEmbedding;
  #nBorrowers = 0;
  #isDisposed = false;

  /** @internal */
  constructor(model: object, native: NativeEmbedding, size: Size) {
    this.#model = model;
    this.#native = native;
    this.nTokens = native.nTokens();
    this.nPos = native.nPos();
    this.size = size;
  }

  /** Gives its memory back, once the calls made with it are done; what sessions took of it stays. */
  dispose(): void {
    this.#isDisposed = true;
    this.#freeIfUnused();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A copy of what the vision tower made: [nTokens][`ModelFacts.nEmbdInput`]. */
  rows(): Float32Array {
    if (this.#isDisposed) throw disposedError('image embedding');
    return this.#native.rows();
  }

  /** @internal Undefined for another model than its own. Disposing waits for `work`. */
  async lend<T>(model: object, work: (native: NativeEmbedding | undefined) => Promise<T>): Promise<T> {
    if (this.#isDisposed) throw disposedError('image embedding');
    this.#nBorrowers++;
    try {
      return await work(model === this.#model ? this.#native : undefined);
    } finally {
      this.#nBorrowers--;
      this.#freeIfUnused();
    }
  }

  #freeIfUnused(): void {
    if (this.#isDisposed && this.#nBorrowers === 0) this.#native.dispose();
  }
}
