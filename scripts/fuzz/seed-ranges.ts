/** `3-7,9`: a list of twenty thousand numbers is longer than the arguments of a process may be. */
export function rangesOf(seeds: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const seed of seeds) {
    const last = ranges.at(-1);
    if (last?.to === seed - 1) last.to = seed;
    else ranges.push({ from: seed, to: seed });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

export function seedsOf(ranges: string): number[] {
  return ranges.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
