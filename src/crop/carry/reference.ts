import { stat } from 'node:fs/promises';
import path from 'node:path';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { boxCentre, boxOfSize, rectOfBox, type Box, type Size } from '../../base/geometry.js';
import { checkOptions, received } from '../../base/options-check.js';
import type { CropRect } from '../../base/schema.js';
import { decodePhoto, type Photo } from '../../photo/decode.js';
import { readHandCrop } from '../../photo/metadata/hand-crop.js';
import { findCrop, isFound } from '../../registration/find-crop.js';
import { greyPicture, type GreyPicture } from '../../registration/grey-picture.js';
import { movedBox } from '../../registration/similarity.js';
import { keepBox } from '../keep-box.js';
import type { CropWishes } from '../wishes.js';
import { photoSubject, type PhotoSubject } from './photo-subject.js';

/**
 * A photo whose crop others are to be like. A path: of a photo with a crop in its XMP sidecar or in itself, or of a picture
 * that was cropped; `original.jpg,crop.jpg` is a photo and its crop, as are `photo` and `crop` by themselves, where the crop
 * may also be a rectangle in pixels of the upright photo.
 */
export type Like = string | { readonly photo: string; readonly crop: string | CropRect };

/** A reference, opened. */
export interface Reference {
  /** As results call it: as it was given. */
  readonly given: string;
  /** As notes call it: its file's name. */
  readonly name: string;
  /** Of its crop: its proportions. */
  readonly ratio: Size;
  /** In pixels of `picture`'s photo: the crop, and what the photo is of. */
  readonly crop: Box;
  readonly subject: PhotoSubject;
  /** Of the whole photo; of the crop alone where there is nothing else. */
  readonly picture: GreyPicture;
  readonly isCropAlone: boolean;
}

export interface ReferenceOptions {
  /** Heads in a photo, where they are looked for. */
  readonly findHeads?: (photo: Photo) => Promise<readonly Box[]>;
  readonly maxPixels?: number;
  readonly signal?: AbortSignal;
}

/** Longer side of the pictures in which a crop is looked for in its photo. */
export const FIND_LONG_SIDE_PX = 384;

/**
 * @throws FramewrightError USAGE for what is no reference: a crop that is not in its photo, a photo in which nothing stands
 *   out, a subject that is not in the crop; INPUT_* for files
 */
export async function openReference(like: Like, options: ReferenceOptions = {}): Promise<Reference> {
  const { photo: photoPath, crop } = await filesOf(like);
  const { findHeads, maxPixels, signal } = options;
  const photo = await decodePhoto(photoPath, defined({ maxPixels, signal, firstFrame: true }));
  const box = crop === undefined ? await cropIn(photo, signal) : await givenCrop(photo, crop, options);
  const isCropAlone = box === undefined;
  const heads = await findHeads?.(photo);
  const subject = await photoSubject(photo, heads, { isCropped: isCropAlone, signal });
  const opened = box ?? boxOfSize(photo);
  requireSubject(subject, opened, photoPath);
  const longSidePx = isCropAlone ? { longSidePx: FIND_LONG_SIDE_PX } : {};
  return {
    given: typeof like === 'string' ? like : photoPath,
    name: path.basename(photoPath),
    ratio: { width: opened[2] - opened[0], height: opened[3] - opened[1] },
    crop: opened,
    subject,
    picture: await greyPicture(photo, { ...longSidePx, ...defined({ signal }) }),
    isCropAlone,
  };
}

/** @throws FramewrightError USAGE for wishes that say what the reference says */
export function refuseBesideLike({ place, margin, focus }: CropWishes): void {
  const idle = Object.entries({ place, margin, focus }).find(([, wish]) => wish !== undefined)?.[0];
  if (idle === undefined) return;
  throw usage(`like says where in the crop its subject is and how large, and so does ${idle}; leave out one`);
}

async function filesOf(like: Like): Promise<{ readonly photo: string; readonly crop?: string | CropRect }> {
  if (typeof like !== 'string') {
    if (typeof like !== 'object' || (like as Like | null) === null) {
      throw usage(`Expected like to be a path, or a photo and its crop, but received ${received(like)}`);
    }
    checkOptions('like', like, { photo: 'text', crop: 'any' });
    return like;
  }
  const comma = like.indexOf(',');
  if (comma < 0 || (await isThere(like))) return { photo: like };
  // File names may have commas in them: the pair is the one whose first is a file.
  for (let at = comma; at >= 0; at = like.indexOf(',', at + 1)) {
    const [photo, crop] = [like.slice(0, at), like.slice(at + 1)];
    if (crop !== '' && (await isThere(photo))) return { photo, crop };
  }
  return { photo: like.slice(0, comma), crop: like.slice(comma + 1) };
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** The crop somebody noted in the photo or beside it; undefined where there is none. */
async function cropIn(photo: Photo, signal: AbortSignal | undefined): Promise<Box | undefined> {
  const found = await readHandCrop(photo, signal, { takesOurs: true });
  if (found && 'unusable' in found) {
    throw usage(
      `${photo.name} cannot say what crops are to be like: ${found.unusable}; give the photo and its crop as two files`,
    );
  }
  return found?.box;
}

async function givenCrop(photo: Photo, crop: string | CropRect, { maxPixels, signal }: ReferenceOptions): Promise<Box> {
  if (typeof crop !== 'string') return keepBox(crop, photo);
  const cut = await decodePhoto(crop, defined({ maxPixels, signal, firstFrame: true }));
  const picture = (of: Photo): Promise<GreyPicture> =>
    greyPicture(of, { longSidePx: FIND_LONG_SIDE_PX, ...defined({ signal }) });
  const found = findCrop(await picture(cut), await picture(photo));
  if (!isFound(found)) {
    throw usage(
      `${crop} is not found in ${photo.name}: give a photo and a crop of it that is not turned or much retouched`,
    );
  }
  const [x1, y1, x2, y2] = movedBox(boxOfSize(cut), found.similarity);
  return [
    Math.max(0, Math.round(x1)),
    Math.max(0, Math.round(y1)),
    Math.min(photo.width, Math.round(x2)),
    Math.min(photo.height, Math.round(y2)),
  ];
}

function requireSubject(subject: PhotoSubject, crop: Box, name: string): void {
  if (!subject.isFound && !subject.heads) {
    throw usage(
      `no subject is found in ${name} that crops could be like: nothing in it stands out; choose another reference`,
    );
  }
  const found = subject.heads?.box ?? subject.box;
  const [x, y] = boxCentre(found);
  if (x >= crop[0] && y >= crop[1] && x < crop[2] && y < crop[3]) return;
  const { width, height, x: left, y: top } = rectOfBox(found);
  throw usage(
    `the subject found in ${name}, ${width}x${height} px at ${left},${top}, is not in its crop; choose another reference, or give the crop alone`,
  );
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
