/**
 * Sequences that scoring takes: what a continuation decodes is all of it but its last token, and those that another one
 * begins with need none of their own.
 */
export function branchesOf(continuations: readonly Int32Array[]): number {
  const decoded = continuations.map((tokens) => tokens.subarray(0, Math.max(0, tokens.length - 1)));
  decoded.sort(compare);
  let n = 0;
  for (const [i, tokens] of decoded.entries()) {
    const next = decoded[i + 1];
    if (tokens.length > 0 && !(next && beginsWith(next, tokens))) n++;
  }
  return n;
}

export function concatenate(arrays: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Lexicographic; what is only the beginning of another comes first. */
function compare(a: Int32Array, b: Int32Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function beginsWith(longer: Int32Array, prefix: Int32Array): boolean {
  return prefix.length <= longer.length && prefix.every((token, i) => longer[i] === token);
}
