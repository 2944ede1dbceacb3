import { setImmediate } from 'node:timers/promises';

/** How long the event loop is kept from timers and signals at a stretch. */
const SLICE_MS = 20;

/**
 * Does something to each of many, and lets go of the event loop every 20 ms. Looking at a file costs a system call of some
 * microseconds, and ten times that as a promise: of a hundred thousand photos those are seconds, and a gigabyte where all
 * are begun at once.
 */
export async function inSlices<T>(items: readonly T[], each: (item: T, index: number) => void): Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  for (const [i, item] of items.entries()) {
    each(item, i);
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
  }
}
