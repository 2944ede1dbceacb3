import { join } from 'node:path';
import sharp from 'sharp';
import { counted } from '../../base/counted.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { RATIO_NAMES } from '../ratio-window.js';
import { indexPhotos, locatePhoto, photosUnder, stemOf } from './photos.js';
import type { DatasetOfKind, DatasetOptions, MissingPhoto, SubjectMask, SubjectPhoto } from './types.js';

const MASKS = 'masks';
/** What is lighter is subject. */
const SUBJECT_FROM = 128;
/** Less is a speck; more leaves a crop nothing to choose. */
const LEAST_SUBJECT = 0.004;
const MOST_SUBJECT = 0.5;

/**
 * Photos with a mask of their subject each: `masks/<name>.png`, grey, of the whole photo (stretched to any size), and the
 * photo of that name anywhere in the folder. Each is asked for at four ratios, which are its splits. Photos whose subject
 * covers less than .4 % or more than half of them are left out.
 * @throws FramewrightError `DATASET_INVALID`
 */
export async function readSubjects(
  folder: string,
  { signal }: DatasetOptions = {},
): Promise<DatasetOfKind<'subjects'>> {
  const index = await indexPhotos(folder, { except: MASKS });
  const masks = (await photosUnder(join(folder, MASKS)).catch(() => [])).sort();
  if (masks.length === 0)
    throw new FramewrightError('DATASET_INVALID', `${folder} has no masks/*.png; put the subjects' masks there`);
  const photos: SubjectPhoto[] = [];
  const missing: MissingPhoto[] = [];
  let nLeftOut = 0;
  for (const path of masks) {
    signal?.throwIfAborted();
    const mask = await readMask(path);
    const share = mask.isSubject.reduce((sum, value) => sum + value, 0) / mask.isSubject.length;
    if (share < LEAST_SUBJECT || share > MOST_SUBJECT) {
      nLeftOut++;
      continue;
    }
    const name = stemOf(path);
    const found = await locatePhoto(index, name, missing);
    for (const aspect of RATIO_NAMES) photos.push({ id: `${name} ${aspect}`, ...found, split: aspect, aspect, mask });
  }
  const repairs =
    nLeftOut > 0 ? [`left out ${counted(nLeftOut, 'photo')} whose subject is next to nothing or most of them`] : [];
  return { kind: 'subjects', name: 'subjects', folder, photos, missing, repairs };
}

async function readMask(path: string): Promise<SubjectMask> {
  try {
    const { data, info } = await sharp(path).removeAlpha().greyscale().raw().toBuffer({ resolveWithObject: true });
    const isSubject = Uint8Array.from({ length: info.width * info.height }, (_, i) =>
      data[i * info.channels]! >= SUBJECT_FROM ? 1 : 0,
    );
    return { size: { width: info.width, height: info.height }, isSubject };
  } catch (cause) {
    throw new FramewrightError('DATASET_INVALID', `cannot read the mask ${path}: ${messageOf(cause)}`, { cause });
  }
}
