import { FramewrightError } from '../../base/errors.js';
import type { Choice } from '../choices.js';
import { STDIN } from '../inputs.js';
import type { BatchListener } from '../listener.js';
import type { BatchSettings } from '../settings.js';
import { openOverviews } from '../summaries/overviews.js';
import { mirroredOfList, planOptions, planOutputs } from './plan-outputs.js';
import type { PlannedPhoto } from './planned-photo.js';
import { HOLDER } from './sidecars.js';
import { refuseStdout } from './refuse-stdout.js';
import type { RunPlan } from './run-plan.js';
import { namedFiles, refuseSharedNames } from './shared-names.js';

/**
 * Plans a run of these choices, read from a file: a planned photo for each, in their order.
 *
 * @throws FramewrightError USAGE, OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function planChoices(
  choices: readonly Choice[],
  file: string,
  settings: BatchSettings,
  listener: BatchListener,
): Promise<RunPlan> {
  const photos = await nameOutputs(choices, settings);
  refuseStdout(photos, settings);
  listener.onPlan?.(photos);
  const written = namedFiles([
    ['--report', settings.report],
    ['--contact-sheet', settings.contactSheet],
  ]);
  await refuseSharedNames(written, photos, [{ option: '--choices', path: file }]);
  const mayReplace = (): Promise<boolean> => Promise.resolve(settings.force);
  return { photos, wishesOf: () => ({}), overviews: await openOverviews(settings, photos, mayReplace) };
}

/**
 * Names the files as if one run had cropped each photo for all its choices.
 *
 * @throws FramewrightError USAGE as planOutputs; for a sidecar that would have to hold two crops, or a choice for stdin.
 */
async function nameOutputs(choices: readonly Choice[], settings: BatchSettings): Promise<PlannedPhoto[]> {
  const byPhoto = new Map<string, Choice[]>();
  for (const choice of choices) {
    if (choice.path === STDIN) throw usage(`${choice.from}: a choice is for a file; name it in place of ${STDIN}`);
    byPhoto.set(choice.path, [...(byPhoto.get(choice.path) ?? []), choice]);
  }
  const doubled = [...byPhoto].find(([, chosen]) => chosen.length > 1);
  if (settings.xmp && doubled) {
    const [photo, chosen] = doubled;
    const holder = HOLDER[settings.xmp];
    throw usage(`${holder} holds one crop, and ${chosen.length} are chosen for ${photo}; keep the line of one`);
  }
  const planned = new Map<Choice, PlannedPhoto>();
  const targetsOf = (photo: string): Choice['target'][] => byPhoto.get(photo)!.map(({ target }) => target);
  const photos = await planOutputs([...byPhoto.keys()], targetsOf, {
    ...planOptions(settings),
    top: 1,
    mirrored: mirroredOfList([...byPhoto.keys()]),
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
