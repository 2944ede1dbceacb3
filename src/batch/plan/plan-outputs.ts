import path from 'node:path';
import { defined } from '../../base/defined.js';
import { formatAspect, type Target } from '../../crop/target.js';
import { STDIN } from '../inputs.js';
import type { StdinPhoto } from '../options.js';
import type { BatchSettings } from '../settings.js';
import { destinationOf, type Destination, type DestinationOptions } from './destination.js';
import { DEFAULT_NAME, parseName } from './name-template.js';
import { refuseClashes } from './output-clashes.js';
import { STDOUT, type PlannedPhoto } from './planned-photo.js';
import { planSidecars } from './sidecars.js';

export interface PlanOptions extends DestinationOptions {
  /** What the photo on stdin would be called as a file. */
  readonly stdinName?: string;
  /** Files a target gets: the best `top` candidates. */
  readonly top: number;
  readonly overlay: boolean;
  /** Crops go into XMP sidecars, and into pictures only where `output` says so. */
  readonly xmp: boolean;
}

export function planOptions(settings: BatchSettings, stdin?: StdinPhoto): PlanOptions {
  const { format, output, name, top, overlay, xmp } = settings;
  const extension = format && (format === 'jpeg' ? '.jpg' : `.${format}`);
  return { top, overlay, xmp, ...defined({ output, name, extension, stdinName: stdin?.name }) };
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
  const sidecars = options.xmp ? await planSidecars(inputs, targetsOf) : [];
  const top = options.xmp && options.output === undefined ? 0 : options.top;
  const nCrops = inputs.reduce((sum, input) => sum + targetsOf(input).length, 0);
  const nFiles = nCrops * (top + (options.overlay ? 1 : 0));
  const nameOf = parseName(options.name ?? DEFAULT_NAME);
  const destination = await destinationOf(options, nFiles, inputs.includes(STDIN));
  const planned = inputs.map((input, i): PlannedPhoto => {
    const index = String(i + 1).padStart(String(inputs.length).length, '0');
    const outputs = outputsOf(input, index, targetsOf(input), destination, { ...options, top, nameOf });
    return { input, ...outputs, ...defined({ sidecar: sidecars[i] }) };
  });
  await refuseClashes(planned, options.name !== undefined);
  return planned;
}

function outputsOf(
  input: string,
  index: string,
  targets: readonly Target[],
  destination: Destination,
  { nameOf, top, overlay, ...options }: PlanOptions & { readonly nameOf: ReturnType<typeof parseName> },
): Pick<PlannedPhoto, 'crops' | 'overlays'> {
  if (destination.to === 'stdout') return { crops: [[STDOUT]], overlays: [] };
  if (destination.to === 'file') return { crops: [[destination.file]], overlays: [] };
  const { name, ext: ownExtension, dir } = path.parse(input === STDIN ? (options.stdinName ?? 'stdin') : input);
  const folder = destination.to === 'folder' ? destination.folder : dir;
  const ext = options.extension ?? outputExtension(ownExtension);
  const fileOf = (aspect: string, rank = 1): string => path.join(folder, nameOf({ name, aspect, rank, index, ext }));
  const overlayOf = (target: Target): string => {
    if (options.name !== undefined) return overlayBeside(fileOf(suffixOf(target)));
    return fileOf(targets.length > 1 ? `${suffixOf(target)}-overlay` : 'overlay');
  };
  return {
    crops: targets.map((target) => Array.from({ length: top }, (_, k) => fileOf(suffixOf(target), k + 1))),
    overlays: overlay ? targets.map(overlayOf) : [],
  };
}

function overlayBeside(crop: string): string {
  const { dir, name, ext } = path.parse(crop);
  return path.join(dir, `${name}-overlay${ext}`);
}

function suffixOf(target: Target): string {
  if (target.size) return `${target.size.width}x${target.size.height}`;
  return target.aspect ? formatAspect(target.aspect).replace(':', 'x') : 'crop';
}

/** GIF is read (its first frame) but not written. */
function outputExtension(ext: string): string {
  return /^\.gif$/i.test(ext) ? '.png' : ext;
}
