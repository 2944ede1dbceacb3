import { readChoices, type Choice } from '../choices.js';
import { chosenCrops } from '../chosen-crops.js';
import { FramewrightError } from '../errors.js';
import { cropRun, planOptions, type CropFlags } from './crop-flags.js';
import type { BatchInterrupt } from './interrupt.js';
import { refuseClashes } from './output-clashes.js';
import { planOutputs, refuseExisting, REMEDY, type PlanOptions } from './output-plan.js';
import type { PlannedPhoto } from './planned-photo.js';
import { cropAndTell, type RunOutcome } from './run-end.js';

/** Crops as a person picked, without a model. */
export async function cropByChoice(file: string, flags: CropFlags, interrupt: BatchInterrupt): Promise<RunOutcome> {
  const { signal } = interrupt;
  const choices = await readChoices(file);
  const plan = await planChoices(choices, planOptions(flags));
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
 * A planned photo for each choice, in their order; each has one target, its own.
 *
 * @throws FramewrightError USAGE as planOutputs, over all of them.
 */
async function planChoices(choices: readonly Choice[], options: PlanOptions): Promise<PlannedPhoto[]> {
  const byTarget = new Map<string, Choice[]>();
  for (const choice of choices) {
    const key = JSON.stringify(choice.target);
    byTarget.set(key, [...(byTarget.get(key) ?? []), choice]);
  }
  if (options.xmp && byTarget.size > 1) {
    throw new FramewrightError(
      'USAGE',
      `a sidecar holds one crop, and the choices are for ${byTarget.size} aspects or sizes; keep the lines of one`,
    );
  }
  const planned = new Map<Choice, PlannedPhoto>();
  for (const group of byTarget.values()) {
    const plan = await planOutputs(
      group.map(({ path }) => path),
      () => [group[0]!.target],
      { ...options, top: 1 },
    );
    group.forEach((choice, i) => planned.set(choice, plan[i]!));
  }
  const all = choices.map((choice) => planned.get(choice)!);
  await refuseClashes(all, options.name !== undefined);
  return all;
}
