import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defined } from '../../base/defined.js';
import type { CroppedPhoto } from '../../crop/pipeline.js';
import type { Target } from '../../crop/target.js';
import { decodePhoto, type DecodeOptions, type Photo } from '../../photo/decode.js';
import type { PhotoInput } from '../../photo/input-kinds.js';
import { captureTimeMs } from '../../photo/metadata/capture-time.js';
import { greyPicture } from '../../registration/grey-picture.js';
import { checkTask, taskOf, type Inputs, type PhotoJob } from '../each-alone.js';
import type { PhotoTask } from '../options.js';
import { groupBursts, groupFolders, type Look } from './group.js';
import { knownCrops, SeriesRun, type CropHow, type SeriesPhoto } from './series-run.js';
import type { SeriesWish } from './series-wish.js';

interface SeriesOptions {
  readonly series: Exclude<SeriesWish, 'off'>;
  readonly crop: (task: PhotoTask, how: CropHow) => Promise<CroppedPhoto>;
  /** Of photos that have none of their own. */
  readonly targets: readonly Target[];
  /** As the cropper decodes photos. */
  readonly limits: Pick<DecodeOptions, 'maxPixels' | 'firstFrame' | 'rawPreview'>;
  readonly signal: AbortSignal;
}

/** Looks at all photos, groups them to series, and gives the photos in their order, each to be cropped as its series is. */
export async function* seriesJobs(inputs: Inputs, options: SeriesOptions): AsyncGenerator<PhotoJob, void, undefined> {
  const { series, crop, signal } = options;
  const tasks: PhotoTask[] = [];
  const photos: SeriesPhoto[] = [];
  for await (const each of inputs) {
    signal.throwIfAborted();
    const { task, photo } = await lookedAt(taskOf(each), photos.length, options);
    tasks.push(task);
    photos.push(photo);
  }
  const looks = photos.map(({ look }) => look);
  const grouped =
    series === 'auto'
      ? await groupBursts(looks, signal)
      : await groupFolders(
          looks,
          tasks.map(({ input }) => folderOf(input)),
          signal,
        );
  const run = new SeriesRun(photos, grouped, (index, how) => crop(tasks[index]!, how), signal);
  for (const [index, task] of tasks.entries()) {
    yield {
      input: task.input,
      crops: async () => {
        checkTask(task);
        return run.cropsOf(index);
      },
    };
  }
}

interface LookedAt {
  readonly task: PhotoTask;
  readonly photo: SeriesPhoto;
}

/** The error of a photo that cannot be read is told in its turn. */
async function lookedAt(task: PhotoTask, index: number, options: SeriesOptions): Promise<LookedAt> {
  const { targets, limits, signal } = options;
  const named = { name: nameOf(task, index) };
  const isOnItsOwn = hasOwnWishes(task);
  if (isOnItsOwn && !task.results) return { task, photo: { ...named, look: undefined } };
  try {
    const { name } = task;
    const photo = await decodePhoto(task.input, { ...limits, signal, ...defined({ name }) });
    const look = isOnItsOwn ? undefined : await lookAt(photo, signal);
    const known = task.results && knownCrops(photo, task.results, targets);
    // What came as a stream has been read.
    const kept = isReadOnce(task.input) ? { ...task, input: photo.bytes } : task;
    return { task: kept, photo: { ...named, look, ...defined({ known }) } };
  } catch (error) {
    signal.throwIfAborted();
    return { task, photo: { ...named, look: undefined, error } };
  }
}

/** Undefined for what moves, whose crop is of several frames. */
async function lookAt(photo: Photo, signal: AbortSignal): Promise<Look | undefined> {
  if (photo.animation) return undefined;
  return { picture: await greyPicture(photo, { signal }), takenMs: captureTimeMs(photo) };
}

function hasOwnWishes({ input: _, name: __, results: ___, ...wishes }: PhotoTask): boolean {
  return Object.keys(defined(wishes)).length > 0;
}

function isReadOnce(input: PhotoInput): boolean {
  const isHeld = typeof input === 'string' || input instanceof URL || ArrayBuffer.isView(input);
  return !isHeld && !(input instanceof ArrayBuffer);
}

function pathOf(input: PhotoInput): string | undefined {
  if (typeof input === 'string') return input;
  return input instanceof URL && input.protocol === 'file:' ? fileURLToPath(input) : undefined;
}

function nameOf({ input, name }: PhotoTask, index: number): string {
  return pathOf(input) ?? name ?? `photo ${index + 1}`;
}

/** What has no path has one folder. */
function folderOf(input: PhotoInput): string {
  const file = pathOf(input);
  return file === undefined ? '' : path.dirname(path.resolve(file));
}
