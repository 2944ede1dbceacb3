import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import type { Box } from '../../base/geometry.js';
import { parseAspect } from '../../crop/aspect.js';
import { framePhoto } from '../../crop/ready-photo.js';
import { buildIndex } from '../../retrieval/build-index.js';
import { carryOver } from '../../retrieval/carry-over.js';
import { CropIndex } from '../../retrieval/crop-index.js';
import { keyOfIndex, openRetrieval } from '../../retrieval/open-retrieval.js';
import { examplesFor } from '../../retrieval/retrieval.js';
import type { Tower, TowerOptions } from '../../retrieval/tower.js';
import type { Dataset } from '../datasets/types.js';
import { rescaleBox } from './engine.js';
import { overlapScores } from './floors.js';
import type { CropOptions, Method, PresentPhoto } from './types.js';

/** Changes when an answer does, the index and the tower being the same. */
const KEY_VERSION = 1;

/**
 * The engine `retrieval` on its index; and on a data set of crops also on the data set itself, each photo by the crops of all
 * others (leave-one-out), which is what an archive of one's own would give.
 */
export async function retrievalMethods(
  dataset: Dataset,
  index: string | undefined,
  options: TowerOptions,
): Promise<Method[]> {
  const retrieval = await openRetrieval(index, options);
  const { tower, index: opened } = retrieval;
  const close = (): Promise<void> => retrieval.dispose();
  try {
    const own = dataset.kind === 'boxes' ? [await leaveOneOut(dataset.photos, tower, options.signal)] : [];
    const methods = [methodOf('retrieval', tower, opened, () => undefined), ...own];
    // They share the tower, which the first one closes: all are closed together.
    return methods.map((method, i) => (i === 0 ? { ...method, close } : method));
  } catch (error) {
    await close();
    throw error;
  }
}

type BoxesPhotos = Extract<Dataset, { readonly kind: 'boxes' }>['photos'];

async function leaveOneOut(photos: BoxesPhotos, tower: Tower, signal: AbortSignal | undefined): Promise<Method> {
  const sources = photos.flatMap(({ id, path, boxes, size }) =>
    path === undefined || size === undefined ? [] : [{ name: id, path, boxes, size }],
  );
  const { contents } = await buildIndex(sources, tower, defined({ signal }));
  const index = await CropIndex.open(contents);
  const byName = new Map(contents.photos.map((photo) => [photo.name, photo]));
  return methodOf('retrieval, leave-one-out', tower, index, ({ id }) => byName.get(id));
}

function methodOf(
  name: string,
  tower: Tower,
  index: CropIndex,
  except: (photo: PresentPhoto) => Parameters<typeof index.nearest>[2],
): Method {
  const crop = async (photo: PresentPhoto, { signal, aspect }: CropOptions): Promise<Box[]> => {
    if (photo.path === undefined) {
      throw new FramewrightError('INPUT_NOT_FOUND', `${photo.id} is not in the data set's folder`);
    }
    const ready = await framePhoto(photo.path, tower, defined({ signal }));
    const { frame } = ready;
    const examples = await examplesFor(ready, { tower, index }, { except: except(photo), signal });
    const wanted = { count: 5, ...(aspect && { aspect: parseAspect(aspect) }) };
    return carryOver(examples, frame, wanted).candidates.map(({ box }) => rescaleBox(box, frame, photo.size));
  };
  return {
    name,
    key: JSON.stringify({ version: KEY_VERSION, name, tower: tower.identity, index: keyOfIndex(index.contents) }),
    needsPixels: true,
    crop,
    rank: async (photo, boxes, options) => overlapScores((await crop(photo, options))[0]!, boxes),
  };
}
