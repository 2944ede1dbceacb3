import { loadBinding } from '../dist/src/runtime/binding.js';

/** Of those between the best and the plainest, the ones that differ most: with AVX2, with AVX alone, with neither. */
const PREFERRED = ['haswell', 'sandybridge', 'sse42'];

/**
 * The CPU backend's variants that this machine executes: all of them, the best, and two others, as unlike it and each other
 * as there are. None of a build from source, which has only the one it was compiled as.
 */
export async function chooseVariants() {
  const { cpuVariants } = await loadBinding({ gpu: 'cpu' });
  const executable = cpuVariants()
    .filter(({ isExecutable }) => isExecutable)
    .map(({ name }) => name);
  const [best] = executable;
  const plainest = executable.at(-1);
  const between = executable.slice(1, -1);
  const middle = PREFERRED.find((name) => between.includes(name)) ?? between[0];
  return { executable, best, others: [middle, plainest].filter((name) => name !== undefined && name !== best) };
}
