import { defined } from '../../base/defined.js';
import type { Box } from '../../base/geometry.js';
import type { EngineName } from '../../base/schema.js';
import { findCrop, isFound } from '../../registration/find-crop.js';
import { greyPicture, pyramidOf } from '../../registration/grey-picture.js';
import { sureAlignment } from '../../registration/sure-alignment.js';
import { boxesOf } from '../../faces/heads.js';
import { movedBox, type Similarity } from '../../registration/similarity.js';
import type { Photo } from '../../photo/decode.js';
import type { Carry } from './carry.js';
import { composedResult } from './composed-result.js';
import { compositionOf } from './composition.js';
import { comparedBy, photoSubject } from './photo-subject.js';
import { FIND_LONG_SIDE_PX, type Reference } from './reference.js';

interface LikeOptions {
  readonly engine: EngineName;
  readonly minSize: number;
  readonly signal?: AbortSignal;
}

/**
 * Crops in which the subject is as large, and where, as in the reference's. A photo that shows what the reference shows is
 * laid over it, so that the subject need not be found in it; in others it is looked for.
 */
export function carryLike(reference: Reference, { engine, minSize, signal }: LikeOptions): Carry {
  const { given, name, ratio, crop } = reference;
  return async (ready, fit) => {
    const laid = await laidOver(reference, ready.photo, signal);
    const subjects = laid
      ? ([reference.subject.box, movedBox(reference.subject.box, laid)] as const)
      : await comparedSubjects(reference, ready.photo, ready.heads && boxesOf(ready.heads), signal);
    if (!subjects) {
      return { note: `is cropped as if there were no ${name} to be like: nothing in it stands out as what it is of` };
    }
    const [there, here] = subjects;
    const like = { composition: compositionOf(crop, there), ratio, name, minSize, engine };
    const by = laid ? 'registration' : 'subject';
    return {
      cropFor: (settled) => ({
        ...composedResult(like, here, ready, settled, fit),
        like: { reference: given, by },
      }),
    };
  };
}

async function laidOver(
  { picture, isCropAlone }: Reference,
  photo: Photo,
  signal: AbortSignal | undefined,
): Promise<Similarity | undefined> {
  const longSidePx = isCropAlone ? { longSidePx: FIND_LONG_SIDE_PX } : {};
  const own = await greyPicture(photo, { ...longSidePx, ...defined({ signal }) });
  if (!isCropAlone) return sureAlignment(pyramidOf(picture), pyramidOf(own))?.similarity;
  const found = findCrop(picture, own);
  return isFound(found) ? found.similarity : undefined;
}

async function comparedSubjects(
  { subject }: Reference,
  photo: Photo,
  heads: readonly Box[] | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly [Box, Box] | undefined> {
  return comparedBy(subject, await photoSubject(photo, heads, { signal }));
}
