import { openCropper, type Cropper } from '../cropper/cropper.js';
import { checkOptions } from '../base/options-check.js';
import { readChoices } from './choices.js';
import { CropJournal } from './journal/crop-journal.js';
import { refuseForeign, rememberedRun } from './journal/run-memory.js';
import type { BatchListener, BatchResult } from './listener.js';
import type { BatchOptions } from './options.js';
import { refuseExisting, REMEDY } from './plan/existing-files.js';
import { BATCH_OPTIONS, LISTENER } from './option-kinds.js';
import { planChoices } from './plan/plan-choices.js';
import { planPhotos } from './plan/plan-photos.js';
import { BatchRun, beginOf } from './run/batch-run.js';
import { chosenCropper } from './run/chosen-crops.js';
import { settingsOf, type BatchSettings } from './settings.js';

/**
 * Crops many photos into files: all that `framewright crop` does, without a word on stdout or stderr. A photo that fails is
 * one of the result's failures and the rest go on; what is done is noted, so that a run that was stopped, killed or aborted
 * is gone on from with `resume`.
 *
 * @throws FramewrightError before any photo is cropped: USAGE for options that do not go together or files that would have
 *   one name, INPUT_NOT_FOUND and INPUT_UNREADABLE for inputs, hints and choices, OUTPUT_EXISTS for files in the way,
 *   OUTPUT_LOCKED where another run is at work in the same folder, and as openCropper; later OUTPUT_WRITE where the disk
 *   takes no more. The reason of `signal` when aborted.
 */
export async function runBatch(options: BatchOptions, listener: BatchListener = {}): Promise<BatchResult> {
  checkOptions('runBatch', options, BATCH_OPTIONS);
  checkOptions('the listener of runBatch', listener, LISTENER);
  const settings = settingsOf(options);
  const { choices } = settings;
  return choices === undefined ? cropSettled(settings, listener) : cropByChoice(choices, settings, listener);
}

/** Crops as the engine asked for decides. */
export async function cropSettled(settings: BatchSettings, listener: BatchListener): Promise<BatchResult> {
  const { dryRun, force, resume } = settings;
  const plan = await planPhotos(settings, listener);
  listener.onPrepare?.({ step: 'check', nPhotos: plan.photos.length });
  await using journal = plan.earlier && (await CropJournal.open(plan.earlier));
  if (!dryRun && !force && !resume) {
    await refuseExisting(plan.photos, journal?.isEmpty === false ? `${REMEDY}, --resume goes on` : REMEDY);
  }
  await using own = settings.openCropper ? undefined : await openFor(plan.photos.length, settings);
  const cropper = settings.openCropper ?? own!;
  listener.onOpen?.(cropper);
  const memory = journal && (await rememberedRun(journal, plan, settings, cropper));
  if (memory && resume) {
    listener.onResume?.(beginOf(plan, memory));
    if (!force) await refuseForeign(plan.photos, memory);
  }
  return await new BatchRun(plan, settings, listener, memory).crop(cropper);
}

/** Crops as a person picked, without a model. */
async function cropByChoice(file: string, settings: BatchSettings, listener: BatchListener): Promise<BatchResult> {
  const choices = await readChoices(file);
  const plan = await planChoices(choices, file, settings, listener);
  if (!settings.dryRun && !settings.force) await refuseExisting(plan.photos, REMEDY);
  return new BatchRun(plan, settings, listener).crop(chosenCropper(choices, settings));
}

function openFor(nPhotos: number, { cropperOptions }: BatchSettings): Promise<Cropper> {
  const { parallel: asked = 1 } = cropperOptions;
  const parallel = asked === 'auto' ? asked : Math.max(1, Math.min(asked, nPhotos));
  return openCropper({ ...cropperOptions, parallel });
}
