import { stat } from 'node:fs/promises';
import { FramewrightError } from '../../base/errors.js';
import { keyOfSettings } from '../../batch/journal/settings-key.js';
import { withoutEarlierCrops } from '../../batch/plan/earlier-crops.js';
import { planOptions, planOutputs } from '../../batch/plan/plan-outputs.js';
import { shortHash } from '../../files/short-hash.js';
import { filesOf, type PlannedPhoto } from '../../batch/plan/planned-photo.js';
import type { Wishes } from '../../batch/plan/wishes.js';
import type { BatchSettings } from '../../batch/settings.js';
import { isBucketUrl } from '../bucket/bucket-url.js';
import { pathInJournal, placeOfPath } from '../bucket/places.js';
import { ID_DIGITS } from '../queue.js';
import type { JobPhoto } from '../run/run-spec.js';
import type { PhotoGroup, PhotoSource, PhotoVersion } from './photo-source.js';
import type { SeenPhotos } from './seen-photos.js';

/** Photos for one job. */
export interface PlannedJob {
  /** The same for the same photos as they are now. */
  readonly id: string;
  readonly photos: readonly JobPhoto[];
}

export interface JobPlan {
  readonly source: PhotoSource;
  readonly settings: BatchSettings;
  readonly wishes: Wishes;
  /** The folder that journals are relative to, or the URL of it in a bucket. */
  readonly home: string;
  /** What of it is done. */
  readonly seen: SeenPhotos;
  /** What everything but the photo comes down to, where a worker has said so: nothing is known to be done without it. */
  readonly key: string | undefined;
  readonly jobSize: number;
  readonly onNote: (text: string) => void;
  /** Told of the photos found and those that are done, by now. */
  readonly onCount: (counts: { readonly nPhotos: number; readonly nEarlier: number }) => void;
}

/**
 * The jobs of a run, one after the other as its photos are found: what is done is left out, and the rest told apart by
 * path, size and time, so that the same photos give the same jobs.
 *
 * @throws FramewrightError USAGE where files of two photos would have one name
 */
export async function* planJobs(plan: JobPlan): AsyncGenerator<PlannedJob, void, undefined> {
  const { source, jobSize, onCount } = plan;
  const names = new Names();
  let nPhotos = 0;
  let nEarlier = 0;
  let chunk: { readonly photo: JobPhoto; readonly version: PhotoVersion | undefined; readonly isDone: boolean }[] = [];
  const job = (): PlannedJob[] => {
    const photos = chunk.filter(({ isDone: is }) => !is).map(({ photo }) => photo);
    // Of those that are done too: a job that a worker is at is then the same, and not put in once more beside it.
    const id = keyOfSettings(chunk.map(({ photo, version }) => [photo, version])).slice(0, ID_DIGITS);
    chunk = [];
    onCount({ nPhotos, nEarlier });
    return photos.length > 0 ? [{ id, photos }] : [];
  };
  for await (const group of source.groups(plan.onNote)) {
    for (const planned of await planGroup(group, plan)) {
      names.take(planned);
      nPhotos++;
      const own = plan.wishes.of(planned.input);
      const photo = { planned: inPlace(planned), ...(Object.keys(own).length > 0 ? { wishes: own } : {}) };
      const version = group.versions?.get(planned.input) ?? (await versionOf(planned.input));
      const isEarlier = isDone(photo, version, plan);
      if (isEarlier) nEarlier++;
      chunk.push({ photo, version, isDone: isEarlier });
      if (chunk.length === jobSize) yield* job();
    }
  }
  yield* job();
}

async function planGroup({ photos, areNamed }: PhotoGroup, plan: JobPlan): Promise<PlannedPhoto[]> {
  const { settings, wishes, source } = plan;
  const named = new Set(areNamed ? photos : []);
  const found = await withoutEarlierCrops({ photos, named, notes: [] });
  for (const text of found.notes) plan.onNote(text);
  // What an object holds is not known before it is brought here.
  const moves = !source.roots.some(isBucketUrl) && settings.firstFrame !== true;
  const options = { ...planOptions(settings), mirrored: source.mirrored, moves };
  return planOutputs(found.photos, wishes.targetsOf, options);
}

function isDone({ planned, wishes = {} }: JobPhoto, version: PhotoVersion | undefined, plan: JobPlan): boolean {
  if (plan.key === undefined || !version) return false;
  const { size, mtimeMs } = version;
  return plan.seen.has({
    photo: pathInJournal(plan.home, planned.input),
    key: keyOfSettings([plan.key, wishes]),
    ...{ size, mtimeMs },
    planned: filesOf(planned).map((file) => pathInJournal(plan.home, file)),
  });
}

/** What is in a bucket is planned by paths, and sent to workers by its URLs. */
function inPlace(planned: PlannedPhoto): PlannedPhoto {
  const { input, crops, overlays } = planned;
  return {
    ...planned,
    input: placeOfPath(input),
    crops: crops.map((files) => files.map(placeOfPath)),
    overlays: overlays.map(placeOfPath),
  };
}

/** Undefined for a file that is gone; whoever crops it says so. */
async function versionOf(file: string): Promise<PhotoVersion | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found && { size: found.size, mtimeMs: found.mtimeMs };
}

/** Every name that is given, 12 bytes of each: photos of different folders may be about to get the same. */
class Names {
  readonly #taken = new Set<string>();

  /** @throws FramewrightError USAGE */
  take(planned: PlannedPhoto): void {
    for (const file of filesOf(planned)) {
      const word = shortHash(file);
      if (this.#taken.has(word)) {
        throw new FramewrightError(
          'USAGE',
          `${planned.input} and another photo would both give ${file}; use {dir} in --name, or --recursive with a folder`,
        );
      }
      this.#taken.add(word);
    }
  }
}
