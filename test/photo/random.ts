import { seededRandom } from '../../src/base/random.js';

/** Whole numbers 0..below-1 from a fixed seed, so that a failing case comes back. */
export function randomInts(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}
