import { stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, FramewrightError, messageOf } from '../../base/errors.js';
import { CropJournal } from '../../batch/journal/crop-journal.js';
import { readEarlierRuns } from '../../batch/journal/journal-file.js';
import { rememberedRun } from '../../batch/journal/run-memory.js';
import type { RunPlan } from '../../batch/plan/run-plan.js';
import { BatchRun } from '../../batch/run/batch-run.js';
import { settingsOf } from '../../batch/settings.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { PhotoTask } from '../../cropper/options.js';
import type { PhotoInput } from '../../photo/input-kinds.js';
import { checkOutputFolder } from '../../files/write.js';
import { RunNotes } from '../run/run-notes.js';
import type { JobPhoto, PhotoFailure, RunSpec } from '../run/run-spec.js';

export interface CropJob {
  readonly spec: RunSpec;
  /** Its name, which its journal has too. */
  readonly job: string;
  readonly photos: readonly JobPhoto[];
}

/** Told of each photo. */
export interface JobListener {
  /** Before anything of it is read: it may be what ends this process. */
  readonly onBegin: (photo: string) => Promise<void>;
  readonly onCropped: (photo: string) => void;
  /** It can end this process no more, and is not where it belongs yet. */
  readonly onPassed?: (photo: string) => void;
  readonly onFailed: (photo: string, failure: PhotoFailure) => void;
  readonly onKey: (key: string) => void;
}

/**
 * Crops the photos of a job, and notes them in the job's own journal; what is noted there is not done again. Each photo is
 * told of once.
 *
 * @returns whether it ended early because no more photos were to be begun
 * @throws FramewrightError where no photo of the job can be done here: the folders of the run are not there, the disk is full
 */
export async function cropJob(
  { spec, job, photos }: CropJob,
  cropper: Cropper,
  listener: JobListener,
  noMore: AbortSignal,
): Promise<boolean> {
  await requireFolders(spec);
  const settings = settingsOf({ ...spec.wishes, inputs: [], resume: true, journal: job, cropper, noMore });
  const wishes = new Map(photos.map(({ planned, wishes: own = {} }) => [planned.input, own]));
  const at = new RunNotes(spec.home, spec.run).of(job);
  const earlier = await readEarlierRuns(at);
  const plan: RunPlan = {
    photos: photos.map(({ planned }) => planned),
    wishesOf: ({ input }) => wishes.get(input)!,
    earlier,
    overviews: [],
  };
  await using journal = await CropJournal.open(earlier, { isHeld: true });
  const memory = await rememberedRun(journal, plan, settings, cropper);
  listener.onKey(memory.shared);
  const run = new BatchRun(
    plan,
    settings,
    {
      onPhoto: ({ input }) => listener.onCropped(input),
      onFailure: ({ input, error }) => listener.onFailed(input, { code: codeOf(error), message: messageOf(error) }),
    },
    memory,
  );
  return (await run.crop(telling(cropper, listener))).isStopped;
}

/** A share that is not mounted would have every photo fail. */
async function requireFolders({ roots, output }: RunSpec): Promise<void> {
  for (const root of roots) {
    const found = await stat(root).catch((cause: unknown) => {
      throw new FramewrightError('INPUT_NOT_FOUND', `${root}, where photos of the run lie, is not there: mount it`, {
        cause,
      });
    });
    if (!found.isDirectory()) throw new FramewrightError('INPUT_UNREADABLE', `${root} is no folder on this machine`);
  }
  if (output !== undefined) await checkOutputFolder(path.join(output, 'x'));
}

/** The cropper, which says of each photo that it is about to take it. */
function telling(cropper: Cropper, { onBegin }: JobListener): Pick<Cropper, 'cropEach'> {
  return {
    cropEach: (inputs, options) => cropper.cropEach(announced(inputs, onBegin), options),
  };
}

async function* announced(
  inputs: Iterable<PhotoInput | PhotoTask> | AsyncIterable<PhotoInput | PhotoTask>,
  onBegin: (photo: string) => Promise<void>,
): AsyncGenerator<PhotoInput | PhotoTask, void, undefined> {
  for await (const task of inputs) {
    // Every photo of a job has a path.
    await onBegin((task as { readonly input: string }).input);
    yield task;
  }
}
