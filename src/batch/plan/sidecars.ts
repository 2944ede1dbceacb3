import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import type { Target } from '../../crop/target.js';
import { sidecarPathOf, type SidecarName } from '../../photo/metadata/sidecar-path.js';
import { STDIN } from '../inputs.js';
import type { XmpWay } from '../options.js';

export interface SidecarPlan {
  readonly way: XmpWay;
  /** Default: as `sidecarPathOf` has it. */
  readonly named?: SidecarName;
}

/** Photos whose own XMP is written to, as far as a name tells. */
const EMBEDS = /\.(?:jpe?g|png|tiff?|heic|heif|hif)$/i;

/**
 * The sidecar of each photo, in their order; undefined for one whose crop goes into its own XMP.
 *
 * @throws FramewrightError USAGE where one would have to hold two crops, or there is no place for one.
 */
export async function planSidecars(
  inputs: readonly string[],
  targetsOf: (input: string) => readonly Target[],
  { way, named }: SidecarPlan,
): Promise<(string | undefined)[]> {
  const owners = new Map<string, string>();
  const sidecars: (string | undefined)[] = [];
  const listings = new Map<string, Promise<string[]>>();
  const listed = (folder: string): Promise<string[]> => {
    const listing = listings.get(folder) ?? readdir(folder).catch(() => []);
    listings.set(folder, listing);
    return listing;
  };
  for (const input of inputs) {
    if (input === STDIN) {
      throw new FramewrightError(
        'USAGE',
        'the photo on stdin has no file to note its crop in or beside; name its file',
      );
    }
    const nCrops = targetsOf(input).length;
    if (nCrops > 1) {
      throw new FramewrightError(
        'USAGE',
        `${HOLDER[way]} holds one crop, and ${nCrops} are asked for of ${input}; give one aspect or size`,
      );
    }
    if (way === 'embed' && EMBEDS.test(input)) {
      sidecars.push(undefined);
      continue;
    }
    const sidecar = await sidecarPathOf(input, listed, named);
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

/** What takes the crop, in words. */
export const HOLDER: Record<XmpWay, string> = { sidecar: 'a sidecar', embed: "a photo's XMP" };
