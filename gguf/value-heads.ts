import { linearWidthsOf, type LinearAttention } from './families/shapes.js';

/** Neighbouring rows, or columns, that keep their order: the first, and how many. */
export interface Run {
  readonly from: number;
  readonly count: number;
}

/**
 * Where the rows of a linear-attention layer's values lie in a checkpoint, in llama.cpp's order. A checkpoint has the
 * heads of values that share a head of keys side by side; llama.cpp takes each in turn with the first of its values, then
 * with the second, so that keys repeat as a whole (conversion/qwen.py, `_reorder_v_heads`).
 *
 * @param rowsPerHead rows a head has: its size, or 1 of what is one number a head
 * @param before rows before those of the values, which stay
 */
export function valueRuns(
  { nKeyHeads, nValueHeads }: LinearAttention,
  rowsPerHead: number,
  before = 0,
): readonly Run[] {
  const nPerKey = nValueHeads / nKeyHeads;
  const heads = Array.from({ length: nValueHeads }, (_, head): Run => {
    const inCheckpoint = (head % nKeyHeads) * nPerKey + Math.floor(head / nKeyHeads);
    return { from: before + inCheckpoint * rowsPerHead, count: rowsPerHead };
  });
  return before > 0 ? [{ from: 0, count: before }, ...heads] : heads;
}

/** The same for queries, keys and values one after the other. */
export function qkvRuns(linear: LinearAttention): readonly Run[] {
  return valueRuns(linear, linear.headSize, 2 * linearWidthsOf(linear).nKey);
}

/** Rows with their columns in the order of `runs`; `size` in bytes of a column. */
export function reorderColumns(bytes: Uint8Array, runs: readonly Run[], size: number): Uint8Array {
  const rowBytes = size * runs.reduce((sum, { count }) => sum + count, 0);
  const ordered = new Uint8Array(bytes.length);
  for (let row = 0; row < bytes.length; row += rowBytes) {
    let to = row;
    for (const { from, count } of runs) {
      const at = row + from * size;
      ordered.set(bytes.subarray(at, at + count * size), to);
      to += count * size;
    }
  }
  return ordered;
}
