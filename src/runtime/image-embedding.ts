import type { Size } from '../geometry.js';
import type { NativeEmbedding } from './addon.js';
import { disposedError } from './native-error.js';
import type { VisionModel } from './model.js';

/** What the vision tower made of one image. Any number of sessions of its model may take it, as often as they like. */
export class ImageEmbedding {
  /** Tokens it takes in a session: one for each 28x28 px. */
  readonly nTokens: number;
  /** M-RoPE positions it takes: the longer side in tokens. */
  readonly nPos: number;
  readonly size: Size;
  readonly #model: VisionModel;
  #native: NativeEmbedding | undefined;

  /** @internal */
  constructor(model: VisionModel, native: NativeEmbedding, size: Size) {
    this.#model = model;
    this.#native = native;
    this.nTokens = native.nTokens();
    this.nPos = native.nPos();
    this.size = size;
  }

  /** Gives its memory back; what sessions took of it stays. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  nativeFor(model: VisionModel): NativeEmbedding | undefined {
    if (!this.#native) throw disposedError('image embedding');
    return model === this.#model ? this.#native : undefined;
  }
}
