import type { Command } from 'commander';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { CROP_DEFAULTS } from '../../crop/defaults.js';
import { openCropper } from '../../cropper/cropper.js';
import { analystOf } from '../../train/export/analyst.js';
import { exportTaste } from '../../train/export/export-taste.js';
import { checkNewFolder } from '../../train/export/new-folder.js';
import { summaryText } from '../../train/export/summary.js';
import { readChosenCrops } from '../../train/prefs/chosen-crops.js';
import { preferencesOf } from '../../train/prefs/preferences.js';
import { PAIR_KINDS } from '../../train/targets/photo-records.js';
import { addModelFlags, cropperOptionsOf, parseShare, parseWhole, type ModelFlags } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { warnUntrained } from '../terminal/warnings.js';
import { printText } from '../terminal/visible.js';

interface PrefsFlags extends ModelFlags {
  readonly output: string;
  readonly photos?: string;
  readonly pairs: number;
  readonly heldOut: number;
  readonly parts: number;
  readonly samples: number;
  readonly seed: number;
  readonly json: boolean;
}

const HELP = `
Choices: a file that the page of framewright --report saves, or a folder of photos with crops made by hand in XMP
sidecars or in the photos themselves (Lightroom, Camera Raw and others). The model is the one to be trained: what it
proposes is what your crops are preferred to.

Examples:
  framewright train prefs choices.jsonl -o data/
  framewright train prefs ~/Pictures/2024 --model nano -o data/`;

/** `framewright train prefs <choices>`: conversations to train on, of crops somebody picked, moved or made by hand. */
export function addPrefsCommand(train: Command): void {
  const command = train
    .command('prefs')
    .description('make training data from crops you picked or made by hand')
    .argument('<choices>', 'a file of choices (.jsonl), or a folder of photos with crops in XMP')
    .requiredOption('-o, --output <folder>', 'a new folder for the data')
    .option('--photos <folder>', "where a file's photos are (default: where it says)")
    .option('--pairs <n>', 'crops of the model that a choice is preferred to, at most', parseWhole('pairs', 1, 20), 4)
    .option('--held-out <share>', 'photos kept to measure with', parseShare, 0.2)
    .option('--parts <n>', 'parts of each photo to train on beside it, with its crop', parseWhole('parts', 0, 100), 0)
    .option('--samples <n>', 'photos on the page of samples', parseWhole('samples', 0, 1000), 24)
    .option('--seed <n>', 'seed', parseWhole('seed', 0, 2 ** 32 - 1), 0)
    .option('--json', 'what was made as one JSON object', false)
    .addHelpText('after', HELP);
  addModelFlags(command).action((choices: string, flags: PrefsFlags) => runPrefs(choices, flags));
}

async function runPrefs(choices: string, flags: PrefsFlags): Promise<void> {
  await checkNewFolder(flags.output);
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  const onProgress = (text: string): void => progress.show(text);
  try {
    const crops = await readChosenCrops(choices, flags.photos, signal);
    await using cropper = await openCropper({ ...cropperOptionsOf(flags), signal });
    warnUntrained(cropper);
    const { model } = cropper;
    if (!model) throw new FramewrightError('INTERNAL', 'a model is needed to prefer crops to its own');
    const analyst = analystOf(cropper);
    const facts = await exportTaste({
      family: model.family,
      use: model.use,
      source: await preferencesOf(crops, { analyst, onProgress, signal }),
      out: flags.output,
      analyst,
      candidates: CROP_DEFAULTS.candidates,
      pairs: { count: flags.pairs, hardness: 'mixed' },
      kinds: PAIR_KINDS,
      heldOutShare: flags.heldOut,
      parts: flags.parts,
      samples: flags.samples,
      seed: flags.seed,
      onProgress,
      ...defined({ signal }),
    });
    progress.clear();
    printText(flags.json ? `${JSON.stringify(facts)}\n` : summaryText(facts));
  } finally {
    progress.clear();
    stopListening();
  }
}
