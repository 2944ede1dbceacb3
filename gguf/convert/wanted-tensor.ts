import type { Run } from '../value-heads.js';

/** A tensor of a GGUF file and what of a checkpoint it is made of. */
export interface WantedTensor {
  readonly name: string;
  /** Of the checkpoint, as `Checkpoint.tensors` spells it. */
  readonly source: string;
  /** ggml's `ne`, innermost first. */
  readonly shape: readonly number[];
  /** Which rows of the source it is, of several such tensors in it. Default: all. */
  readonly part?: { readonly index: number; readonly of: number };
  /** The source has a matrix for each expert, [nIn][nOut], and `part` says which of its columns. */
  readonly isTransposedStack?: boolean;
  /** Which frame of a kernel over two. */
  readonly frame?: 0 | 1;
  /** Not quantised, nor in half precision: llama.cpp takes it in F32 alone, or its own converter writes no other. */
  readonly isExact?: boolean;
  /** The source's rows, or columns, in another order. */
  readonly rows?: readonly Run[];
  readonly columns?: readonly Run[];
  /** The source has a dimension of 1 more, after the outermost. */
  readonly isSqueezed?: boolean;
  /** What becomes of each value. */
  readonly value?: (value: number) => number;
}
