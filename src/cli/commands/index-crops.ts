import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { counted, countedAre } from '../../base/counted.js';
import { readOwn } from '../../eval/datasets/own.js';
import { photoSize } from '../../eval/datasets/photos.js';
import { FramewrightError } from '../../base/errors.js';
import { checkOutput } from '../../files/write.js';
import { buildIndex, type CroppedPhotoSource } from '../../retrieval/build-index.js';
import { writeIndexFile } from '../../retrieval/index-file.js';
import { openTower } from '../../retrieval/tower.js';
import { readChosenCrops } from '../../train/prefs/chosen-crops.js';
import { addTowerFlags, towerOptionsOf, type TowerFlags } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { printText, say } from '../terminal/visible.js';

interface BuildFlags extends TowerFlags {
  readonly output: string;
  readonly photos?: string;
  readonly force: boolean;
  readonly json: boolean;
}

const DEFAULT_OUTPUT = 'crops.index.json';
/** Reasons shown; the rest is counted. */
const REASONS_SHOWN = 5;

const HELP = `
framewright --engine retrieval --index mine.index.json photos/ then crops photos as those like them were. The crops are
those that Lightroom, Camera Raw or another program left in XMP sidecars or in the photos themselves; those of a
labels.jsonl in the folder ({"photo": "a.jpg", "boxes": [[x1, y1, x2, y2], ...]} a line); or those of a file of choices, as
--report and framewright studio save them.

Examples:
  framewright index build my-archive/ -o mine.index.json
  framewright index build choices.jsonl --photos my-photos/ -o mine.index.json`;

/** `framewright index build`: the crops people made of photos, for the engine retrieval. */
export function addIndexCommand(program: Command): void {
  const index = program
    .command('index')
    .description('crops people made, for the engine retrieval to carry over to photos that look alike')
    .addHelpText('after', HELP);
  const build = index
    .command('build')
    .description(
      'look at photos with the model’s vision tower and write down what each looks like and how it was cropped',
    )
    .argument('<crops>', 'a folder of photos with crops, or a file of choices')
    .option('-o, --output <file>', 'the index', DEFAULT_OUTPUT)
    .option('--photos <folder>', 'where the photos of a file of choices are, if not where it says')
    .option('--json', 'one JSON object', false)
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP);
  addTowerFlags(build).action(runBuild);
}

async function runBuild(crops: string, flags: BuildFlags): Promise<void> {
  await checkOutput(flags.output, { force: flags.force });
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    const { sources, problems } = await readSources(crops, flags.photos, signal);
    const tower = await openTower({ ...towerOptionsOf(flags), signal });
    try {
      const { contents, failures } = await buildIndex(sources, tower, {
        onPhoto: (nDone, name) => progress.show(`${nDone} of ${sources.length}: ${name}`),
        signal,
      });
      progress.clear();
      tellLeftOut([...problems, ...failures.map(({ name, reason }) => `${name}: ${reason}`)]);
      await writeIndexFile(flags.output, contents, { force: flags.force, signal });
      const said = { path: flags.output, nPhotos: contents.photos.length, model: contents.tower.name };
      printText(
        flags.json
          ? `${JSON.stringify(said)}\n`
          : `${flags.output}: ${counted(said.nPhotos, 'photo')}, seen by ${said.model}\n`,
      );
    } finally {
      await tower.dispose();
    }
  } finally {
    progress.clear();
    stopListening();
  }
}

interface Sources {
  readonly sources: readonly CroppedPhotoSource[];
  readonly problems: readonly string[];
}

async function readSources(crops: string, photos: string | undefined, signal: AbortSignal): Promise<Sources> {
  const labels = path.join(crops, 'labels.jsonl');
  if (photos === undefined && (await stat(labels).catch(() => undefined))?.isFile()) return readLabels(labels, signal);
  const { chosen, problems } = await readChosenCrops(crops, photos, signal);
  const byPhoto = new Map<string, CroppedPhotoSource>();
  for (const { path: file, box } of chosen) {
    const known = byPhoto.get(file);
    const size = known?.size ?? (await photoSize(file));
    byPhoto.set(file, { name: path.basename(file), path: file, size, boxes: [...(known?.boxes ?? []), box] });
  }
  return { sources: [...byPhoto.values()], problems: problems.map(({ id, reason }) => `${id}: ${reason}`) };
}

async function readLabels(file: string, signal: AbortSignal): Promise<Sources> {
  const dataset = await readOwn(file, { signal });
  if (dataset.kind !== 'boxes') {
    throw new FramewrightError('DATASET_INVALID', `${file} has no "boxes": an index is made of crops`);
  }
  const sources = dataset.photos.flatMap(({ id, path: photo, size, boxes }) =>
    photo === undefined || size === undefined ? [] : [{ name: id, path: photo, size, boxes }],
  );
  const missing = dataset.missing.map(({ id, reason }) => `${id}: ${reason}`);
  return { sources, problems: [...dataset.repairs, ...missing] };
}

function tellLeftOut(reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  const shown = reasons.slice(0, REASONS_SHOWN).map((reason) => `  ${reason}\n`);
  const more = reasons.length > REASONS_SHOWN ? `  and ${reasons.length - REASONS_SHOWN} more\n` : '';
  say(
    `framewright: ${countedAre(reasons.length, 'crop or photo', 'crops or photos')} not in the index\n${shown.join('')}${more}`,
  );
}
