import { access, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../base/errors.js';
import { formatAspect, type Target } from '../crop/target.js';
import { sidecarPathOf } from '../photo/metadata/sidecar-path.js';
import { STDIN } from './inputs.js';
import { DEFAULT_NAME, parseName } from './name-template.js';
import { refuseClashes } from './output-clashes.js';
import { isPictureName, refuseOtherFormat } from './output-format.js';
import { filesOf, STDOUT, type PlannedPhoto } from './planned-photo.js';

export interface PlanOptions {
  /** File, folder or `-` for stdout; default: beside each photo, and stdout for the one on stdin. */
  readonly output?: string;
  /** What the photo on stdin would be called as a file. */
  readonly stdinName?: string;
  /** Extension with its dot; default: the photo's own. */
  readonly extension?: string;
  /** Files a target gets: the best `top` candidates. */
  readonly top: number;
  readonly overlay: boolean;
  /** Template of the files' names in their folder, as `parseName` takes it. */
  readonly name?: string;
  /** Crops go into XMP sidecars, and into pictures only where `output` says so. */
  readonly xmp: boolean;
}

/**
 * Names every file before any work starts: `photo-crop.jpg`, with a ratio `photo-4x5.jpg`, with a size
 * `photo-1080x1350.jpg`, further candidates `photo-crop-2.jpg`, overlays `photo-overlay.jpg`.
 *
 * @throws FramewrightError USAGE where two outputs have one name or `output` must be a folder.
 */
export async function planOutputs(
  inputs: readonly string[],
  targetsOf: (input: string) => readonly Target[],
  options: PlanOptions,
): Promise<PlannedPhoto[]> {
  const sidecars = options.xmp ? await sidecarsOf(inputs, targetsOf) : undefined;
  const top = options.xmp && options.output === undefined ? 0 : options.top;
  const nCrops = inputs.reduce((sum, input) => sum + targetsOf(input).length, 0);
  const nFiles = nCrops * (top + (options.overlay ? 1 : 0));
  const output = options.output ?? (inputs.includes(STDIN) ? STDOUT : undefined);
  const nameOf = parseName(options.name ?? DEFAULT_NAME);
  if (output === STDOUT && options.name !== undefined) {
    throw new FramewrightError(
      'USAGE',
      'what goes to stdout has no name; name a folder with --output, or leave out --name',
    );
  }
  if (output === STDOUT && nFiles > 1) {
    const remedy = options.output === undefined ? 'name a folder with --output' : 'name a folder instead';
    throw new FramewrightError('USAGE', `stdout takes one crop of one photo, and ${nFiles} are asked for; ${remedy}`);
  }
  const isNamed = options.name !== undefined;
  if (options.name !== undefined) refuseOtherFormat(options.name, options.extension);
  const asFile = output !== undefined && nFiles === 1 && !isNamed && !(await isFolder(output)) ? output : undefined;
  if (asFile !== undefined && asFile !== STDOUT) refuseOtherFormat(asFile, options.extension);
  if (output !== undefined && asFile === undefined && isPictureName(output) && !(await isFolder(output))) {
    const why = nFiles > 1 ? `${nFiles} are asked for` : '--name gives it another';
    throw new FramewrightError('USAGE', `--output ${output} is the name of one file, and ${why}; name a folder`);
  }
  const planned = inputs.map((input, i): PlannedPhoto => {
    const sidecar = sidecars && { sidecar: sidecars[i]! };
    if (asFile !== undefined && top === 1) return { input, crops: [[asFile]], overlays: [], ...sidecar };
    const targets = targetsOf(input);
    const { name, ext, dir } = path.parse(input === STDIN ? (options.stdinName ?? 'stdin') : input);
    const folder = output ?? dir;
    const extension = options.extension ?? outputExtension(ext);
    const index = String(i + 1).padStart(String(inputs.length).length, '0');
    const file = (aspect: string, rank: number): string =>
      path.join(folder, nameOf({ name, aspect, rank, index, ext: extension }));
    const overlay = (target: Target): string => {
      if (!isNamed) return file(targets.length > 1 ? `${suffixOf(target)}-overlay` : 'overlay', 1);
      const { dir: place, name: base, ext: end } = path.parse(file(suffixOf(target), 1));
      return path.join(place, `${base}-overlay${end}`);
    };
    return {
      input,
      crops: targets.map((target) => Array.from({ length: top }, (_, k) => file(suffixOf(target), k + 1))),
      overlays: options.overlay ? targets.map(overlay) : [],
      ...sidecar,
    };
  });
  await refuseClashes(planned, isNamed);
  return planned;
}

/** @throws FramewrightError USAGE where a sidecar would have to hold two crops, or there is no place for one. */
async function sidecarsOf(
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

function suffixOf(target: Target): string {
  if (target.size) return `${target.size.width}x${target.size.height}`;
  return target.aspect ? formatAspect(target.aspect).replace(':', 'x') : 'crop';
}

/** GIF is read (its first frame) but not written. */
function outputExtension(ext: string): string {
  return /^\.gif$/i.test(ext) ? '.png' : ext;
}

/** What to do about files that are there already. */
export const REMEDY = '--force overwrites, --output names another place';

/**
 * @param isOurs which of the files that are there may be replaced all the same
 * @throws FramewrightError OUTPUT_EXISTS where any other is there already
 */
export async function refuseExisting(
  planned: readonly PlannedPhoto[],
  remedy: string,
  isOurs: (file: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const files = planned.flatMap(filesOf).filter((file) => file !== STDOUT);
  const isInTheWay = await Promise.all(
    files.map(async (file) => {
      const isThere = await access(file).then(
        () => true,
        () => false,
      );
      return isThere && !(await isOurs(file));
    }),
  );
  const existing = files.filter((_, i) => isInTheWay[i]);
  if (existing.length === 0) return;
  const what = existing.length > 1 ? `${existing[0]!} and ${existing.length - 1} more exist` : `${existing[0]!} exists`;
  throw new FramewrightError('OUTPUT_EXISTS', `${what} already; ${remedy}`);
}

/** A name that ends in a separator means a folder even where there is none yet. */
export async function isFolder(name: string): Promise<boolean> {
  if (/[/\\]$/.test(name)) return true;
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
