import path from 'node:path';
import type { Command } from 'commander';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { checkNewFolder } from '../../train/export/new-folder.js';
import { readChosenCrops } from '../../train/prefs/chosen-crops.js';
import { tasteText } from '../../train/taste/measure.js';
import { nativeTrainer } from '../../train/taste/native-trainer.js';
import { LEAST_CHOICES, learnTaste, TASTE_FILES } from '../../train/taste/taste.js';
import { addModelFlags, cropperOptionsOf, parseWhole, type ModelFlags } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { printText, say } from '../terminal/visible.js';

interface TasteFlags extends ModelFlags {
  readonly output: string;
  readonly photos?: string;
  readonly folds: number;
  readonly parts: number;
  readonly seed: number;
  readonly json: boolean;
}

const HELP = `
Choices are those of framewright train prefs: at least ${LEAST_CHOICES}, better a hundred. The adapter
learns from all of them. The figures at the end are of each by an adapter that does not know it: whether the crops came
nearer to yours, or not, or that it cannot be told. Then --lora taste/${TASTE_FILES.adapter} crops so.

Examples:
  framewright train taste choices.jsonl -o taste/
  framewright train taste ~/Pictures/2024 -o taste/    # crops in XMP sidecars`;

/** `framewright train taste <choices>`: the whole way from one's choices to an adapter, and whether it helped. */
export function addTasteCommand(train: Command): void {
  const command = train
    .command('taste')
    .description('learn an adapter from crops you picked or made by hand, and measure whether it helped')
    .argument('<choices>', 'a file of choices (.jsonl), or a folder of photos with crops in XMP')
    .requiredOption('-o, --output <folder>', 'a new folder for the adapter, its data and figures')
    .option('--photos <folder>', "where a file's photos are (default: where it says)")
    .option(
      '--folds <n>',
      'times it is learned anew to measure, each without another share of the choices',
      parseWhole('folds', 2, 20),
      3,
    )
    .option('--parts <n>', 'parts of each photo to learn from beside it', parseWhole('parts', 0, 100), 8)
    .option('--seed <n>', 'seed', parseWhole('seed', 0, 2 ** 31), 0)
    .option('--json', 'the figures as one JSON object', false)
    .addHelpText('after', HELP);
  addModelFlags(command).action((choices: string, flags: TasteFlags) => runTaste(choices, flags));
}

async function runTaste(choices: string, flags: TasteFlags): Promise<void> {
  await checkNewFolder(flags.output);
  if (flags.lora.length > 0) {
    throw new FramewrightError('USAGE', 'a taste is learned on the model alone: merge its adapters into it first');
  }
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    const { model, gpu, threads, mmproj, output, folds, parts, seed } = flags;
    const { figures } = await learnTaste({
      crops: await readChosenCrops(choices, flags.photos, signal),
      out: output,
      model: cropperOptionsOf(flags),
      train: nativeTrainer({ model, gpu, ...defined({ threads, mmproj }) }),
      seed,
      folds,
      parts,
      signal,
      onProgress: (text) => progress.show(text),
    });
    progress.clear();
    printText(flags.json ? `${JSON.stringify(figures)}\n` : tasteText(figures));
    if (figures.verdict === 'helped') {
      say(`framewright: to use it: framewright --lora ${path.join(output, TASTE_FILES.adapter)} photo.jpg\n`);
    }
  } finally {
    progress.clear();
    stopListening();
  }
}
