/** All integers from `first` to `last`, both inclusive; empty where last < first. */
export function range(first: number, last: number): number[] {
  const integers: number[] = [];
  for (let value = first; value <= last; value++) integers.push(value);
  return integers;
}
