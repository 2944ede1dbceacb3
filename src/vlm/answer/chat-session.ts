import type { AppendOptions, AppendResult, GenerateOptions, GenerateResult } from '../../runtime/types.js';

interface Cancellable {
  readonly signal?: AbortSignal;
}

/**
 * What a conversation asks of its model: the runtime's `Session`, or, where training data is made, a stand-in that knows
 * the answers. `Image` is an encoded image of that model.
 */
export interface ChatSession<Image> {
  /** Tokens in the session. */
  readonly nTokens: number;
  append(tokens: Int32Array, options?: AppendOptions): Promise<AppendResult>;
  appendImage(image: Image, options?: Cancellable): Promise<unknown>;
  generate(options: GenerateOptions): Promise<GenerateResult>;
  /** Log-probabilities of each sequence's tokens, all from here. */
  score(sequences: readonly Int32Array[], options?: Cancellable): Promise<Float32Array[]>;
  fork(): Promise<ChatSession<Image>>;
  dispose(): Promise<void>;
}
