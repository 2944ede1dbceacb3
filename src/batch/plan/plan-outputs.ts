import { existsSync } from 'node:fs';
import path from 'node:path';
import { defined } from '../../base/defined.js';
import { formatAspect, type Target } from '../../crop/target.js';
import { isMovingGif } from '../../photo/animation.js';
import { isRawExtension } from '../../photo/camera-raw.js';
import { isHeicName } from '../../photo/heic/libheif.js';
import { isGlob } from '../glob.js';
import { STDIN } from '../inputs.js';
import type { SidecarName } from '../../photo/metadata/sidecar-path.js';
import type { StdinPhoto, XmpWay } from '../options.js';
import type { BatchSettings } from '../settings.js';
import { destinationOf, type Destination, type DestinationOptions } from './destination.js';
import { commonFolder } from './folders.js';
import { DEFAULT_NAME, parseName } from './name-template.js';
import { refuseClashes } from './output-clashes.js';
import { STDOUT, type PlannedPhoto } from './planned-photo.js';
import { planSidecars } from './sidecars.js';

export interface PlanOptions extends DestinationOptions {
  /** Folders whose own folders the output folder has too, for what is found below them. Default: none. */
  readonly mirrored?: readonly string[];
  /** Animations are cropped as such. */
  readonly moves?: boolean;
  /** The photo on stdin. */
  readonly stdin?: StdinPhoto;
  /** Files a target gets: the best `top` candidates. */
  readonly top: number;
  readonly overlay: boolean;
  /** Where in XMP crops are noted; they go into pictures then only where `output` says so. */
  readonly xmp?: XmpWay;
  readonly xmpName?: SidecarName;
}

/** The folders below which a pattern with two stars finds photos: what comes before its first star. */
function foldersSearched(input: string): string[] {
  if (!input.includes('**') || !isGlob(input) || existsSync(input)) return [];
  const parts = input.split(/[/\\]/);
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => isGlob(part)),
  );
  return [fixed.length === 0 ? '.' : fixed.join('/') || '/'];
}

/**
 * Of photos that a list names, the folder whose own folders are mirrored: the list was made of a run that told them apart
 * by their folders. None where their names do.
 */
export function mirroredOfList(photos: readonly string[]): readonly string[] {
  const names = new Set(photos.map((photo) => path.parse(photo).name));
  return names.size === photos.length ? [] : [commonFolder(photos.map((photo) => path.dirname(photo)))];
}

export function planOptions(settings: BatchSettings, stdin?: StdinPhoto): PlanOptions {
  const { format, output, name, top, overlay, xmp, xmpName, recursive, inputs, firstFrame = false } = settings;
  const extension = format && (format === 'jpeg' ? '.jpg' : `.${format}`);
  const mirrored = [...(recursive ? inputs : []), ...inputs.flatMap(foldersSearched)];
  const given = defined({ output, name, extension, stdin, xmp, xmpName });
  return { top, overlay, mirrored, ...given, moves: !firstFrame };
}

/**
 * Names every file before any work starts: `photo-crop.jpg`, with a ratio `photo-4x5.jpg`, with a size
 * `photo-1080x1350.jpg`, in the output folder below the folders it was found in; further candidates `photo-crop-2.jpg`, overlays `photo-overlay.jpg`.
 *
 * @throws FramewrightError USAGE where two outputs have one name or `output` must be a folder.
 */
export async function planOutputs(
  inputs: readonly string[],
  targetsOf: (input: string) => readonly Target[],
  options: PlanOptions,
): Promise<PlannedPhoto[]> {
  const { xmp: way, xmpName: named } = options;
  const sidecars = way ? await planSidecars(inputs, targetsOf, { way, ...defined({ named }) }) : [];
  const top = way && options.output === undefined ? 0 : options.top;
  const nCrops = inputs.reduce((sum, input) => sum + targetsOf(input).length, 0);
  const nFiles = nCrops * (top + (options.overlay ? 1 : 0));
  const nameOf = parseName(options.name ?? DEFAULT_NAME);
  const destination = await destinationOf(options, nFiles, inputs.includes(STDIN));
  const nameParts = sourceNames(inputs, await movingGifs(inputs, options), options);
  const planned = inputs.map((input, i): PlannedPhoto => {
    const index = String(i + 1).padStart(String(inputs.length).length, '0');
    const outputs = outputsOf(input, index, targetsOf(input), destination, {
      ...options,
      top,
      nameOf,
      ...nameParts.get(input)!,
    });
    return {
      input,
      ...outputs,
      ...defined({ sidecar: sidecars[i] }),
      ...(way === 'embed' && !isRawExtension(input) && { embeds: true }),
    };
  });
  await refuseClashes(planned, options.name !== undefined);
  return planned;
}

function outputsOf(
  input: string,
  index: string,
  targets: readonly Target[],
  destination: Destination,
  {
    nameOf,
    top,
    overlay,
    stem,
    ext,
    ...options
  }: PlanOptions & SourceName & { readonly nameOf: ReturnType<typeof parseName> },
): Pick<PlannedPhoto, 'crops' | 'overlays'> {
  if (destination.to === 'stdout') return { crops: [[STDOUT]], overlays: [] };
  if (destination.to === 'file') return { crops: [[destination.file]], overlays: [] };
  const folder = destination.to === 'folder' ? destination.folder : path.dirname(input);
  const dir = destination.to === 'folder' ? folderBelow(input, options.mirrored ?? []) : '.';
  const fileOf = (aspect: string, rank = 1): string =>
    path.join(folder, nameOf({ name: stem, dir, aspect, rank, index, ext }));
  const overlayOf = (target: Target): string => {
    if (options.name !== undefined) return overlayBeside(fileOf(suffixOf(target)));
    return fileOf(targets.length > 1 ? `${suffixOf(target)}-overlay` : 'overlay');
  };
  return {
    crops: targets.map((target) => Array.from({ length: top }, (_, k) => fileOf(suffixOf(target), k + 1))),
    overlays: overlay ? targets.map(overlayOf) : [],
  };
}

/** What the files of a photo are called after, and their extension. */
interface SourceName {
  readonly stem: string;
  readonly ext: string;
}

/** Those whose crops are GIFs, which is in the files alone; one that cannot be read is an error in its turn. */
async function movingGifs(
  inputs: readonly string[],
  { moves = false, extension, stdin }: PlanOptions,
): Promise<ReadonlySet<string>> {
  const moving = new Set<string>();
  if (!moves || extension !== undefined) return moving;
  for (const input of inputs) {
    const name = input === STDIN ? (stdin?.name ?? '') : input;
    if (/\.gif$/i.test(name) && (await isMovingGif(input === STDIN ? stdin!.bytes : input))) moving.add(input);
  }
  return moving;
}

/** Photos that differ by their extension alone, and whose crops would not, are told apart by it: `a-gif` beside `a`. */
function sourceNames(
  inputs: readonly string[],
  moving: ReadonlySet<string>,
  { stdin, extension }: PlanOptions,
): ReadonlyMap<string, SourceName> {
  const files = inputs.map((input) => {
    const { dir, name, ext: own } = path.parse(input === STDIN ? (stdin?.name ?? 'stdin') : input);
    return { input, dir, stem: name, own, ext: extension ?? (moving.has(input) ? own : outputExtension(own)) };
  });
  const keyOf = ({ dir, stem, ext }: (typeof files)[number]): string => path.join(dir, stem) + ext.toLowerCase();
  const nOfKey = new Map<string, number>();
  for (const file of files) nOfKey.set(keyOf(file), (nOfKey.get(keyOf(file)) ?? 0) + 1);
  return new Map(
    files.map((file) => {
      const { input, stem, own, ext } = file;
      const isOwn = own.toLowerCase() === ext.toLowerCase() || nOfKey.get(keyOf(file)) === 1;
      return [input, { stem: isOwn ? stem : `${stem}-${own.slice(1).toLowerCase()}`, ext }];
    }),
  );
}

/** Where a photo lies below the first of these folders that it lies below, `.` for none. */
function folderBelow(input: string, folders: readonly string[]): string {
  for (const folder of folders) {
    const below = path.relative(folder, path.dirname(input));
    if (below !== '' && below.split(path.sep)[0] !== '..' && !path.isAbsolute(below)) return below;
  }
  return '.';
}

function overlayBeside(crop: string): string {
  const { dir, name, ext } = path.parse(crop);
  return path.join(dir, `${name}-overlay${ext}`);
}

function suffixOf(target: Target): string {
  if (target.size) return `${target.size.width}x${target.size.height}`;
  return target.aspect ? formatAspect(target.aspect).replace(':', 'x') : 'crop';
}

/** A GIF that does not move has better formats for its crop, and HEIC is read but not written. */
function outputExtension(ext: string): string {
  if (/^\.gif$/i.test(ext)) return '.png';
  return isHeicName(ext) ? '.jpg' : ext;
}
