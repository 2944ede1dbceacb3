/** A half-open stretch of a file, `[from, to)` in bytes. */
export type Range = readonly [from: number, to: number];

/** Ranges in order, with those that touch or overlap made one. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].filter(([from, to]) => to > from).sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** What of `[0, total)` is in none of them, cut into pieces of at most `pieceBytes`. */
export function missingPieces(done: readonly Range[], total: number, pieceBytes: number): Range[] {
  const pieces: Range[] = [];
  let at = 0;
  for (const [from, to] of [...mergeRanges(done), [total, total] as const]) {
    for (; at < from; at = Math.min(from, at + pieceBytes)) pieces.push([at, Math.min(from, at + pieceBytes)]);
    at = Math.max(at, to);
  }
  return pieces;
}

export function rangesBytes(ranges: readonly Range[]): number {
  return mergeRanges(ranges).reduce((sum, [from, to]) => sum + to - from, 0);
}
