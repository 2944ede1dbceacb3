/** `1 photo`, `2 photos`; a thing whose plural is not by an s gives it. */
export function counted(n: number, thing: string, things = `${thing}s`): string {
  return `${n} ${n === 1 ? thing : things}`;
}

/** The same with its verb: `1 photo is`, `2 photos are`. */
export function countedAre(n: number, thing: string, things?: string): string {
  return `${counted(n, thing, things)} ${n === 1 ? 'is' : 'are'}`;
}
