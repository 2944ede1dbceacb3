import { readChoices, type Choice } from '../../batch/choices.js';
import { chosenCrops } from '../../batch/run/chosen-crops.js';
import { FramewrightError } from '../../base/errors.js';
import { cropRun, planOptions, type CropFlags } from './crop-flags.js';
import { STDIN } from '../../batch/inputs.js';
import type { BatchInterrupt } from '../terminal/interrupt.js';
import { planOutputs, refuseExisting, REMEDY, type PlanOptions } from '../../batch/plan/plan-outputs.js';
import type { PlannedPhoto } from '../../batch/plan/planned-photo.js';
import { cropAndTell, type RunOutcome } from '../terminal/run-end.js';
import { namedFiles, refuseSharedNames } from '../../batch/plan/shared-names.js';

/** Crops as a person picked, without a model. */
export async function cropByChoice(file: string, flags: CropFlags, interrupt: BatchInterrupt): Promise<RunOutcome> {
  const { signal } = interrupt;
  const choices = await readChoices(file);
  const plan = await planChoices(choices, planOptions(flags));
  const written = namedFiles([
    ['--report', flags.report],
    ['--contact-sheet', flags.contactSheet],
  ]);
  await refuseSharedNames(written, plan, [{ option: '--choices', path: file }]);
  if (!flags.dryRun && !flags.force) await refuseExisting(plan, REMEDY);
  const run = await cropRun(plan, flags, signal);
  const options = { signal, ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }) };
  return cropAndTell({ cropEach: (tasks) => inStep(tasks, chosenCrops(choices, options)) }, run, interrupt);
}

/** Takes a task for each outcome, so that each photo is looked at before it is read. */
async function* inStep<T>(
  tasks: Iterable<unknown> | AsyncIterable<unknown>,
  outcomes: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in tasks ? tasks[Symbol.asyncIterator]() : tasks[Symbol.iterator]();
  await iterator.next();
  for await (const outcome of outcomes) {
    yield outcome;
    await iterator.next();
  }
}

/**
 * A planned photo for each choice, in their order, named as if one run had cropped each photo for all its choices.
 *
 * @throws FramewrightError USAGE as planOutputs; for a sidecar that would have to hold two crops, or a choice for stdin.
 */
async function planChoices(choices: readonly Choice[], options: PlanOptions): Promise<PlannedPhoto[]> {
  const byPhoto = new Map<string, Choice[]>();
  for (const choice of choices) {
    if (choice.path === STDIN) throw usage(`${choice.from}: a choice is for a file; name it in place of ${STDIN}`);
    byPhoto.set(choice.path, [...(byPhoto.get(choice.path) ?? []), choice]);
  }
  const doubled = [...byPhoto].find(([, chosen]) => chosen.length > 1);
  if (options.xmp && doubled) {
    const [photo, chosen] = doubled;
    throw usage(`a sidecar holds one crop, and ${chosen.length} are chosen for ${photo}; keep the line of one`);
  }
  const planned = new Map<Choice, PlannedPhoto>();
  const photos = await planOutputs([...byPhoto.keys()], (photo) => byPhoto.get(photo)!.map(({ target }) => target), {
    ...options,
    top: 1,
  });
  for (const { crops, overlays, ...photo } of photos) {
    for (const [i, choice] of byPhoto.get(photo.input)!.entries()) {
      planned.set(choice, { ...photo, crops: [crops[i]!], overlays: overlays.slice(i, i + 1) });
    }
  }
  return choices.map((choice) => planned.get(choice)!);
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
