import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { defined } from '../../base/defined.js';
import { CROP_DEFAULTS } from '../../crop/defaults.js';
import { openCropper } from '../../cropper/cropper.js';
import { indexPhotos } from '../../eval/datasets/photos.js';
import { analystOf } from '../../train/export/analyst.js';
import { exportTaste, MAX_LISTED } from '../../train/export/export-taste.js';
import { checkNewFolder } from '../../train/export/new-folder.js';
import { summaryText } from '../../train/export/summary.js';
import { readSource, SOURCES, type SourceName } from '../../train/sources/read-source.js';
import type { Fold } from '../../train/split/split-photos.js';
import { HARDNESSES, type Hardness } from '../../train/targets/pairs-of-ratings.js';
import { PAIR_KINDS, type PairKind } from '../../train/targets/photo-records.js';
import { collect, parseShare, parseWhole } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { printText } from '../terminal/visible.js';
import { addMadeForFlags, madeFor, type MadeForFlags } from './made-for.js';

interface ExportFlags extends MadeForFlags {
  readonly output: string;
  readonly photos?: string;
  readonly masks?: string;
  readonly analysisModel?: string;
  readonly candidates: number;
  readonly pairs: number;
  readonly minGap?: number;
  readonly hardness: Hardness;
  readonly prefer: readonly PairKind[];
  readonly heldOut: number;
  readonly fold?: Fold;
  readonly parts: number;
  readonly apartFrom: readonly string[];
  readonly limit?: number;
  readonly samples: number;
  readonly seed: number;
  readonly json: boolean;
}

const HELP = `
Sources: gaicd (rated crops), fcdb (crops and voted pairs), flms (about ten crops a photo), cadb (composition elements),
masks (subject masks of the photos of --photos), own (a file of JSON lines, docs/training.md).
The folder holds files for LLaMA-Factory and for framewright train sft, and samples.html to look at.

Examples:
  framewright train export gaicd GAICD/ -o data/
  framewright train export flms FLMS/ --for nano --masks masks/ -o data/
  framewright train export own labels.jsonl --photos photos/ --analysis-model qwen2.5-vl-7b -o data/`;

/** `framewright train export <source> <labels>`: conversations to train on, of what people said of photos. */
export function addExportCommand(train: Command): void {
  const command = train
    .command('export')
    .description('make training data from what people said of photos: crops, ratings, pairs, compositions')
    .addArgument(new Argument('<source>', 'which kind').choices(SOURCES))
    .argument('<labels>', 'the data set, a folder of masks, or a file of own lines')
    .requiredOption('-o, --output <folder>', 'a new folder for the data')
    .option('--photos <folder>', 'where the photos are (default: with the labels)')
    .option('--masks <folder>', 'subject masks, <photo>.png: where the subject is, white on black');
  addMadeForFlags(command)
    .option('--analysis-model <name|file>', 'names compositions that nobody labelled (default: the rules)')
    .option(
      '-n, --candidates <n>',
      'crops in a list',
      parseWhole('candidates', 1, MAX_LISTED),
      CROP_DEFAULTS.candidates,
    )
    .option('--pairs <n>', 'pairs of a better and a worse crop a photo', parseWhole('pairs', 0, 1000), 4)
    .option('--min-gap <x>', 'least difference of the ratings in a pair (default: clear for the source)', parsePositive)
    .addOption(
      new Option('--hardness <kind>', 'pairs whose ratings are far apart, any, or near')
        .choices(HARDNESSES)
        .default('mixed'),
    )
    .option('--prefer <answers>', `which answers a pair is about: ${PAIR_KINDS.join(',')}`, parseKinds, PAIR_KINDS)
    .option('--held-out <share>', 'photos kept to measure with, where the source has no division', parseShare, 0.1)
    .option('--fold <k/n>', 'in place of that: the k-th of n parts, each of which holds out other photos', parseFold)
    .option(
      '--parts <n>',
      'parts of each photo to train on beside it, with the crops they hold',
      parseWhole('parts', 0, 100),
      0,
    )
    .option('--apart-from <folder>', 'take no photo that shows the same as one there, repeatable', collect(String), [])
    .option('--limit <n>', 'only the first n photos', parseWhole('limit', 1, Number.MAX_SAFE_INTEGER))
    .option('--samples <n>', 'photos on the page of samples', parseWhole('samples', 0, 1000), 24)
    .option('--seed <n>', 'seed', parseWhole('seed', 0, 2 ** 32 - 1), 0)
    .option('--json', 'what was made as one JSON object', false)
    .addHelpText('after', HELP)
    .action(runExport);
}

async function runExport(name: SourceName, labels: string, flags: ExportFlags): Promise<void> {
  await checkNewFolder(flags.output);
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    const { seed, photos, masks, limit, analysisModel } = flags;
    const source = await readSource(name, labels, { seed, signal, ...defined({ photos, masks }) });
    const apart = await Promise.all(flags.apartFrom.map((folder) => indexPhotos(folder)));
    await using cropper = await openCropper(
      analysisModel === undefined ? { engine: 'rules', signal } : { model: analysisModel, signal },
    );
    const facts = await exportTaste({
      ...(await madeFor(flags)),
      source: limit === undefined ? source : { ...source, photos: source.photos.slice(0, limit) },
      out: flags.output,
      analyst: analystOf(cropper),
      candidates: flags.candidates,
      pairs: { count: flags.pairs, hardness: flags.hardness, ...defined({ gap: flags.minGap }) },
      kinds: flags.prefer,
      heldOutShare: flags.heldOut,
      ...defined({ fold: flags.fold }),
      parts: flags.parts,
      apartFrom: apart.flatMap(({ paths }) => paths),
      samples: flags.samples,
      seed,
      signal,
      onProgress: (text) => progress.show(text),
    });
    progress.clear();
    printText(flags.json ? `${JSON.stringify(facts)}\n` : summaryText(facts));
  } finally {
    progress.clear();
    stopListening();
  }
}

function parseFold(text: string): Fold {
  const [, number, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (number && of && of >= 2 && number <= of) return { number, of };
  throw new InvalidArgumentError('It is which one and of how many, e.g. 1/5.');
}

function parseKinds(text: string): readonly PairKind[] {
  return text.split(',').map((part) => {
    const kind = PAIR_KINDS.find((known) => known === part.trim());
    if (kind) return kind;
    throw new InvalidArgumentError(`It is one or both of ${PAIR_KINDS.join(',')}.`);
  });
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It is a number above 0: pairs are never of a tie.');
}
