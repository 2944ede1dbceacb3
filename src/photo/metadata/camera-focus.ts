import type { Point } from '../../base/geometry.js';
import type { Photo } from '../decode.js';
import { TAG } from '../formats/exif-tags.js';
import {
  entryOf,
  numberOf,
  numbersOf,
  openTiffBlock,
  readIfd,
  readSubIfd,
  type Ifd,
  type TiffBlock,
} from '../formats/ifd.js';
import { uprightPoint } from './orientation.js';
import { makerFocus, type MakerFocus } from './maker-focus.js';
import { readMetadata } from './read-metadata.js';

/** What a camera notes of where its subject is. */
export interface CameraFocus {
  readonly tag: 'SubjectArea' | 'SubjectLocation' | MakerFocus['tag'];
  /** In pixels of the upright photo. */
  readonly point: Point;
}

/** Nearer to the photo's middle than this share of each side, it is where cameras measure unless told otherwise. */
const MIDDLE_SHARE = 0.03;

/**
 * The middle of the main subject as EXIF has it (SubjectArea, else SubjectLocation), which counts in stored pixels, before
 * the orientation (EXIF 2.32, tags 37396 and 41492); else where the autofocus was, by the notes of Canon's EOS cameras and
 * Sony's. Undefined where the photo says none, says its very middle, which tells
 * nothing, or was scaled since, so that the pixels are others.
 */
export function cameraFocus(photo: Photo): CameraFocus | undefined {
  const { exif } = readMetadata(photo);
  const block = exif && openTiffBlock(exif);
  const main = block && readIfd(block, block.firstAt);
  const ifd = block && main && readSubIfd(block, main, TAG.exifIfd);
  if (!block || !main || !ifd || isOtherSize(block, ifd, photo)) return undefined;
  const { width, height, orientation = 1 } = photo.stored;
  const found =
    subjectAt(block, ifd, TAG.subjectArea, 'SubjectArea') ??
    subjectAt(block, ifd, TAG.subjectLocation, 'SubjectLocation') ??
    // Files of other formats turn their pixels in ways of their own.
    (photo.format === 'jpeg' ? makerFocus(block, main, ifd, { width, height }) : undefined);
  if (!found) return undefined;
  const [x, y] = found.point;
  const isInside = x >= 0 && y >= 0 && x < width && y < height;
  const isMiddle = Math.abs(x / width - 0.5) < MIDDLE_SHARE && Math.abs(y / height - 0.5) < MIDDLE_SHARE;
  // A pixel has its middle half a pixel on, whichever way the photo is turned.
  if (!isInside || isMiddle) return undefined;
  const [uprightX, uprightY] = uprightPoint([x + 0.5, y + 0.5], { width, height }, orientation);
  return { tag: found.tag, point: [Math.floor(uprightX), Math.floor(uprightY)] };
}

/** Programs that scale a photo mostly leave the subject's pixels as they were. */
function isOtherSize(block: TiffBlock, ifd: Ifd, { stored }: Photo): boolean {
  const [width, height] = [TAG.pixelXDimension, TAG.pixelYDimension].map((tag) => numberOf(block, entryOf(ifd, tag)));
  return (width !== undefined && width !== stored.width) || (height !== undefined && height !== stored.height);
}

function subjectAt(block: TiffBlock, ifd: Ifd, tag: number, name: CameraFocus['tag']): CameraFocus | undefined {
  const entry = entryOf(ifd, tag);
  const [x, y] = (entry && numbersOf(block, entry)) ?? [];
  // 0, 0 is written for no subject.
  return x === undefined || y === undefined || (x === 0 && y === 0) ? undefined : { tag: name, point: [x, y] };
}
