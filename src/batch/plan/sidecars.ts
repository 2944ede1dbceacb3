import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import type { Target } from '../../crop/target.js';
import { sidecarPathOf } from '../../photo/metadata/sidecar-path.js';
import { STDIN } from '../inputs.js';

/**
 * The sidecar of each photo, in their order.
 *
 * @throws FramewrightError USAGE where one would have to hold two crops, or there is no place for one.
 */
export async function planSidecars(
  inputs: readonly string[],
  targetsOf: (input: string) => readonly Target[],
): Promise<string[]> {
  const owners = new Map<string, string>();
  const sidecars: string[] = [];
  const listings = new Map<string, Promise<string[]>>();
  const listed = (folder: string): Promise<string[]> => {
    const listing = listings.get(folder) ?? readdir(folder).catch(() => []);
    listings.set(folder, listing);
    return listing;
  };
  for (const input of inputs) {
    if (input === STDIN) throw new FramewrightError('USAGE', 'the photo on stdin has no sidecar; name its file');
    const nCrops = targetsOf(input).length;
    if (nCrops > 1) {
      throw new FramewrightError(
        'USAGE',
        `a sidecar holds one crop, and ${nCrops} are asked for of ${input}; give one aspect or size`,
      );
    }
    const sidecar = await sidecarPathOf(input, listed);
    const owner = owners.get(path.resolve(sidecar));
    if (owner !== undefined) {
      throw new FramewrightError(
        'USAGE',
        `${owner} and ${input} have one sidecar, ${sidecar}; crop one of them at a time`,
      );
    }
    owners.set(path.resolve(sidecar), input);
    sidecars.push(sidecar);
  }
  return sidecars;
}
