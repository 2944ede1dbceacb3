import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../errors.js';
import { formatAspect, type Target } from '../target.js';
import { STDIN } from './inputs.js';

/** `--output -`, and where the crop of the photo on stdin goes unless told otherwise. */
export const STDOUT = '-';

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
}

/** The files one photo's crops go to. */
export interface PlannedPhoto {
  /** The photo's path, or `-`. */
  readonly input: string;
  /** `[target][rank]`, the best candidate first. */
  readonly crops: readonly (readonly string[])[];
  /** `[target]`, where overlays are asked for. */
  readonly overlays: readonly string[];
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
  const nCrops = inputs.reduce((sum, input) => sum + targetsOf(input).length, 0);
  const nFiles = nCrops * (options.top + (options.overlay ? 1 : 0));
  const output = options.output ?? (inputs.includes(STDIN) ? STDOUT : undefined);
  if (output === STDOUT && nFiles > 1) {
    const remedy = options.output === undefined ? 'name a folder with --output' : 'name a folder instead';
    throw new FramewrightError('USAGE', `stdout takes one crop of one photo, and ${nFiles} are asked for; ${remedy}`);
  }
  const asFile = output !== undefined && nFiles === 1 && !(await isFolder(output)) ? output : undefined;
  const planned = inputs.map((input): PlannedPhoto => {
    if (asFile) return { input, crops: [[asFile]], overlays: [] };
    const targets = targetsOf(input);
    const { name, ext, dir } = path.parse(input === STDIN ? (options.stdinName ?? 'stdin') : input);
    const folder = output ?? dir;
    const extension = options.extension ?? outputExtension(ext);
    const file = (suffix: string): string => path.join(folder, `${name}-${suffix}${extension}`);
    return {
      input,
      crops: targets.map((target) =>
        Array.from({ length: options.top }, (_, k) => file(suffixOf(target) + (k > 0 ? `-${k + 1}` : ''))),
      ),
      overlays: options.overlay
        ? targets.map((target) => file(targets.length > 1 ? `${suffixOf(target)}-overlay` : 'overlay'))
        : [],
    };
  });
  refuseClashes(planned);
  return planned;
}

/** Every file a photo gives. */
export function filesOf({ crops, overlays }: PlannedPhoto): string[] {
  return [...crops.flat(), ...overlays];
}

function suffixOf(target: Target): string {
  if (target.size) return `${target.size.width}x${target.size.height}`;
  return target.aspect ? formatAspect(target.aspect).replace(':', 'x') : 'crop';
}

/** GIF is read (its first frame) but not written. */
function outputExtension(ext: string): string {
  return /^\.gif$/i.test(ext) ? '.png' : ext;
}

function refuseClashes(planned: readonly PlannedPhoto[]): void {
  const owners = new Map<string, string>();
  const originals = new Set(planned.map(({ input }) => path.resolve(input)));
  const files = planned.flatMap((photo) => filesOf(photo).map((file) => ({ input: photo.input, file })));
  for (const { input, file } of files) {
    if (file === STDOUT) continue;
    const resolved = path.resolve(file);
    const owner = owners.get(resolved);
    if (owner !== undefined) {
      throw new FramewrightError(
        'USAGE',
        `${owner} and ${input} would both be written to ${file}; give them folders of their own with --output`,
      );
    }
    if (originals.has(resolved)) {
      throw new FramewrightError('USAGE', `${file} is one of the photos itself; name another file with --output`);
    }
    owners.set(resolved, input);
  }
}

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
