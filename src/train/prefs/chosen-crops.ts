import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Box, Size } from '../../base/geometry.js';
import { readChoices } from '../../batch/choices.js';
import { formatAspect, type Target } from '../../crop/target.js';
import { indexPhotos, photoSize, type PhotoIndex } from '../../eval/datasets/photos.js';
import { decodePhoto } from '../../photo/decode.js';
import { readHandCrop } from '../../photo/metadata/hand-crop.js';
import type { Problem } from '../sources/types.js';

/** A crop somebody chose, in pixels of the upright photo. */
export interface ChosenCrop {
  /** The photo, and the shape where one was asked for. */
  readonly id: string;
  readonly path: string;
  readonly box: Box;
  readonly target: Target;
  /** The crop it was chosen over: the program's own of those offered, where that is known. */
  readonly declined?: Box;
}

export interface ChosenCrops {
  readonly chosen: readonly ChosenCrop[];
  /** Choices that cannot be learned from, each with the reason. */
  readonly problems: readonly Problem[];
  /** Photos looked at; with a folder, many may have no crop. */
  readonly nPhotos: number;
}

/**
 * The choices of a file, as the page of `--report` saves them, or the crops made by hand that a folder of photos has in
 * XMP sidecars or in the photos themselves.
 *
 * @param photos where the file's photos are, if not where it says
 * @throws FramewrightError INPUT_NOT_FOUND, USAGE for a file that holds no choices
 */
export async function readChosenCrops(
  from: string,
  photos: string | undefined,
  signal?: AbortSignal,
): Promise<ChosenCrops> {
  const isFolder = await stat(from).then(
    (entry) => entry.isDirectory(),
    () => {
      throw new FramewrightError(
        'INPUT_NOT_FOUND',
        `${from} does not exist: name a file of choices or a folder of photos`,
      );
    },
  );
  return isFolder ? cropsOfFolder(from, signal) : cropsOfFile(from, photos && (await indexPhotos(photos)), signal);
}

async function cropsOfFile(
  file: string,
  index: PhotoIndex | '' | undefined,
  signal: AbortSignal | undefined,
): Promise<ChosenCrops> {
  const chosen: ChosenCrop[] = [];
  const problems: Problem[] = [];
  const choices = await readChoices(file);
  for (const { path: named, box, target, photo: seen, offered, straighten } of choices) {
    signal?.throwIfAborted();
    const id = target.aspect ? `${named} ${formatAspect(target.aspect)}` : named;
    const place = index ? index.find([named]) : named;
    const size = place === undefined ? undefined : await photoSize(place).catch(() => undefined);
    const reason = straighten
      ? 'its crop is of the straightened photo, which nothing here learns from'
      : size
        ? whyNot(box, size, seen && { width: seen.widthPx, height: seen.heightPx })
        : 'it is missing, or no photo';
    if (reason !== undefined) problems.push({ id, reason });
    else {
      const declined = offered?.find((crop) => whyNot(crop, size!, undefined) === undefined);
      chosen.push({ id, path: place!, box: [...box], target, ...(declined && { declined }) });
    }
  }
  return { chosen, problems, nPhotos: new Set(choices.map((choice) => choice.path)).size };
}

function whyNot(box: Box, { width, height }: Size, seen: Size | undefined): string | undefined {
  if (seen && (seen.width !== width || seen.height !== height)) {
    return `it is ${width}x${height} px and was ${seen.width}x${seen.height} px when its crop was chosen`;
  }
  const isInside = box[0] >= 0 && box[1] >= 0 && box[2] <= width && box[3] <= height;
  return isInside ? undefined : `the box [${box.join(', ')}] is outside its ${width}x${height} px`;
}

async function cropsOfFolder(folder: string, signal: AbortSignal | undefined): Promise<ChosenCrops> {
  const chosen: ChosenCrop[] = [];
  const problems: Problem[] = [];
  const { paths } = await indexPhotos(folder);
  for (const file of paths) {
    signal?.throwIfAborted();
    const id = path.relative(folder, file);
    try {
      const crop = await readHandCrop(await decodePhoto(file, signal ? { signal } : {}), signal);
      if (crop && 'unusable' in crop) problems.push({ id, reason: crop.unusable });
      else if (crop) chosen.push({ id, path: file, box: crop.box, target: {} });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof FramewrightError)) throw error;
      problems.push({ id, reason: messageOf(error) });
    }
  }
  return { chosen, problems, nPhotos: paths.length };
}
