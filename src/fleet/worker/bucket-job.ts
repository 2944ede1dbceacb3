import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defined } from '../../base/defined.js';
import { codeOf, messageOf } from '../../base/errors.js';
import { sha256Of } from '../../batch/journal/content-hash.js';
import { readDone } from '../../batch/journal/done-records.js';
import type { DoneRecord } from '../../batch/journal/journal-record.js';
import type { PlannedPhoto } from '../../batch/plan/planned-photo.js';
import type { Cropper } from '../../cropper/cropper.js';
import { CheckedLog } from '../../files/checked-log.js';
import { makeFolder } from '../../files/make-folder.js';
import { OpenBuckets } from '../bucket/open-buckets.js';
import { isBucketUrl } from '../bucket/bucket-url.js';
import { isForbidden, isPassing } from '../bucket/bucket-errors.js';
import { copyOfPlace, pathInJournal, placeOfCopy } from '../bucket/places.js';
import { notesPlace } from '../bucket/bucket-notes.js';
import { inTurns } from '../bucket/in-turns.js';
import { mediaTypeOf } from '../bucket/media-type.js';
import { RunNotes } from '../run/run-notes.js';
import type { JobPhoto, RunSpec } from '../run/run-spec.js';
import { cropJob, type CropJob, type JobListener } from './crop-job.js';
import { scratchOf } from './scratch.js';

/** Objects on their way at once. */
const TRANSFERS = 4;

/** Whether photos or files of a run are in a bucket. */
export function usesBuckets({ roots, home }: RunSpec): boolean {
  return [home, ...roots].some(isBucketUrl);
}

/**
 * As cropJob, for photos or files in buckets: photos come into a folder of this machine's own, are cropped there, and what
 * they give goes where it belongs, each object whole or not at all. What is noted goes last, so that a job that ended
 * before is done again, and finds in their places the objects that it has written.
 */
export async function cropBucketJob(
  job: CropJob,
  cropper: Cropper,
  listener: JobListener,
  noMore: AbortSignal,
): Promise<boolean> {
  const scratch = await mkdtemp(path.join(tmpdir(), scratchOf(process.pid)));
  try {
    using buckets = new OpenBuckets();
    return await new BucketJob(job, scratch, buckets, listener).crop(cropper, noMore);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

class BucketJob {
  readonly #job: CropJob;
  readonly #scratch: string;
  readonly #buckets: OpenBuckets;
  readonly #listener: JobListener;
  readonly #original = new Map<string, string>();

  constructor(job: CropJob, scratch: string, buckets: OpenBuckets, listener: JobListener) {
    this.#job = job;
    this.#scratch = scratch;
    this.#buckets = buckets;
    this.#listener = listener;
  }

  async crop(cropper: Cropper, noMore: AbortSignal): Promise<boolean> {
    const { spec, job } = this.#job;
    const photos = await this.#fetch();
    // The copy's own home: a bucket's, or for files of this machine one beside the copies, for its notes only.
    const home = isBucketUrl(spec.home) ? this.#copyOf(spec.home) : path.join(this.#scratch, '.home');
    await makeFolder(home);
    const local: RunSpec = {
      ...spec,
      home,
      roots: spec.roots.filter((root) => !isBucketUrl(root)),
      ...(spec.output === undefined ? {} : { output: this.#copyOf(spec.output) }),
    };
    const isStopped = await cropJob(
      { spec: local, job, photos: photos.map((photo) => this.#asCopy(photo)) },
      cropper,
      {
        onBegin: (photo) => this.#listener.onBegin(this.#placeOf(photo)),
        onCropped: (photo) => this.#listener.onPassed?.(this.#placeOf(photo)),
        onFailed: (photo, failure) =>
          this.#listener.onFailed(this.#placeOf(photo), {
            ...failure,
            message: failure.message.replaceAll(photo, this.#placeOf(photo)),
          }),
        onKey: this.#listener.onKey,
      },
      noMore,
    );
    await this.#publish(new RunNotes(home, spec.run).of(job).file, home);
    return isStopped;
  }

  /** Brings the photos here; those that cannot be had fail, unless none can. */
  async #fetch(): Promise<JobPhoto[]> {
    const failed = new Map<JobPhoto, unknown>();
    await inTurns(this.#job.photos, TRANSFERS, async (photo) => {
      const { input } = photo.planned;
      this.#original.set(this.#copyOf(input), input);
      if (!isBucketUrl(input)) return;
      const copy = this.#copyOf(input);
      await makeFolder(path.dirname(copy));
      try {
        await this.#buckets.download(input, copy);
      } catch (error) {
        const code = codeOf(error);
        if (isPassing(error) || !['INPUT_NOT_FOUND', 'INPUT_UNREADABLE'].includes(code)) throw error;
        failed.set(photo, error);
      }
    });
    // Who is let in nowhere has the wrong key, and all other jobs would fail as well.
    const { photos } = this.#job;
    if (photos.length > 1 && photos.every((photo) => isForbidden(failed.get(photo)))) throw failed.get(photos[0]!);
    for (const [{ planned }, error] of failed) {
      this.#listener.onFailed(planned.input, { code: codeOf(error), message: messageOf(error) });
    }
    return photos.filter((photo) => !failed.has(photo));
  }

  /** Puts what each photo gave where it belongs, then what is noted of it; in this order it is never noted too early. */
  async #publish(journal: string, home: string): Promise<void> {
    const { spec } = this.#job;
    const records: DoneRecord[] = [];
    await readDone(journal, (record) => records.push(record));
    const noted: DoneRecord[] = [];
    await inTurns(records, TRANSFERS, async (record) => {
      const input = this.#placeOf(path.resolve(home, record.photo));
      try {
        for (const { path: file, sha256 } of record.files) {
          const copy = path.resolve(home, file);
          const place = this.#placeOf(copy);
          if (!isBucketUrl(place)) continue;
          const { force = false } = spec.wishes;
          const options = { sha256, force, ...defined({ contentType: mediaTypeOf(place) }) };
          await this.#buckets.put(place, { file: copy }, options);
        }
      } catch (error) {
        if (codeOf(error) !== 'OUTPUT_EXISTS') throw error;
        this.#listener.onFailed(input, { code: 'OUTPUT_EXISTS', message: messageOf(error) });
        return;
      }
      noted.push(this.#asNoted(record, home));
    });
    if (noted.length > 0) await this.#note(noted);
    for (const { photo } of records) {
      const input = this.#placeOf(path.resolve(home, photo));
      // The listener hears of each photo once; of those that were in the way it has.
      if (noted.some((record) => record.photo === pathInJournal(spec.home, input))) this.#listener.onCropped(input);
    }
  }

  /** Under a name of its own each time: two workers that both believe to have the job lose nothing of each other's. */
  async #note(records: readonly DoneRecord[]): Promise<void> {
    const { spec, job } = this.#job;
    const name = `${job}.${randomBytes(4).toString('hex')}`;
    const file = isBucketUrl(spec.home)
      ? path.join(this.#scratch, `${name}.jsonl`)
      : new RunNotes(spec.home, spec.run).of(name).file;
    {
      await using log = await CheckedLog.open(file);
      for (const record of records) await log.append(record);
    }
    if (!isBucketUrl(spec.home)) return;
    const bytes = await readFile(file);
    await this.#buckets.put(notesPlace(spec.home, spec.run, `${name}.jsonl`), bytes, { sha256: sha256Of(bytes) });
  }

  /** A record with the places of its photo and files in place of their copies. */
  #asNoted(record: DoneRecord, home: string): DoneRecord {
    const { spec } = this.#job;
    const renamed = (file: string): string => pathInJournal(spec.home, this.#placeOf(path.resolve(home, file)));
    return {
      ...record,
      photo: renamed(record.photo),
      files: record.files.map(({ path: file, sha256 }) => ({ path: renamed(file), sha256 })),
      planned: record.planned.map(renamed),
      results: record.results.map((result) => ({
        ...result,
        photo: {
          ...result.photo,
          ...(result.photo.path === undefined ? {} : { path: this.#placeOf(result.photo.path) }),
        },
        ...(result.output ? { output: result.output.map((file) => this.#placeOf(file)) } : {}),
      })),
    };
  }

  #asCopy({ planned, ...rest }: JobPhoto): JobPhoto {
    const copied: PlannedPhoto = {
      ...planned,
      input: this.#copyOf(planned.input),
      crops: planned.crops.map((files) => files.map((file) => this.#copyOf(file))),
      overlays: planned.overlays.map((file) => this.#copyOf(file)),
    };
    return { ...rest, planned: copied };
  }

  #copyOf(place: string): string {
    return copyOfPlace(place, this.#scratch);
  }

  #placeOf(copy: string): string {
    return this.#original.get(copy) ?? placeOfCopy(copy, this.#scratch);
  }
}
