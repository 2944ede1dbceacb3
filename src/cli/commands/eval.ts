import path from 'node:path';
import { Argument, type Command } from 'commander';
import { counted } from '../../base/counted.js';
import { defined } from '../../base/defined.js';
import { CROP_DEFAULTS, MAX_CANDIDATES } from '../../crop/defaults.js';
import { aggregate, type EvaluationResult } from '../../eval/aggregate.js';
import { DATASET_READERS, type DatasetName } from '../../eval/datasets/index.js';
import type { Dataset } from '../../eval/datasets/types.js';
import { Journal } from '../../eval/journal.js';
import { closeMethods, makeMethods, MODEL_FREE_METHODS, type MethodFactory } from '../../eval/methods/registry.js';
import { retrievalMethods } from '../../eval/methods/retrieval.js';
import type { Method } from '../../eval/methods/types.js';
import { renderReport } from '../../eval/report.js';
import { mergeRuns, runEvaluation, type Run } from '../../eval/run.js';
import { figuresCsv, figuresText, photosCsv, photosCsvPath } from '../../eval/tables.js';
import { checkOutput, writeFileAtomic } from '../../files/write.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { STAGES } from '../../base/stages.js';
import {
  collectSets,
  collectSweeps,
  openGroup,
  parseStages,
  SWEPT,
  variantGroups,
  type VariantFlags,
} from './eval-variants.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { addModelFlags, parseWhole, towerOptionsOf, type ModelFlags } from '../options.js';
import { Progress } from '../terminal/progress.js';
import { EXIT } from '../terminal/report-error.js';
import { printText, say } from '../terminal/visible.js';

interface EvalFlags extends ModelFlags, VariantFlags {
  readonly engine?: readonly string[];
  readonly index?: string;
  readonly split?: string;
  readonly limit?: number;
  readonly jobs: number;
  readonly queue?: string;
  readonly journal: string | boolean;
  readonly resamples: number;
  readonly seed: number;
  readonly report?: string;
  readonly out?: string;
  readonly csv?: string;
  readonly json: boolean;
  readonly force: boolean;
}

const DEFAULT_ENGINES = ['full', 'centre', 'prior', 'saliency', 'rules', 'retrieval', 'vlm'];
/** Photos asked about at once where workers share them: more wait for room than cost. */
const REMOTE_JOBS = 16;
/** Notes of one kind shown on stderr; the rest is in the report and the JSON. */
const NOTES_SHOWN = 10;

const HELP = `
Data sets: flms and gencrop (crops), fcdb (crops), fcdb-pairs (judged pairs), gaicd (rated crops), cadb (elements),
subjects (masks of what photos are of), places (judged places of fixed-ratio crops), both at 1:1, 4:5, 16:9 and 9:16,
own (a labels.jsonl of your own: {"photo": "a.jpg", "boxes": [[x1, y1, x2, y2], ...]} a line).
Engines: full, centre, saliency (smartcrop and libvips attention), rules, prior (gaicd: by place alone), retrieval (by its
index, and of a data set of crops each photo by all others), vlm.
An engine that only crops ranks given boxes by their overlap with its crop.

Examples:
  framewright eval flms FLMS/ --report flms.html
  framewright eval gaicd GAICD/ --split test --engine prior,vlm --out gaicd.json
  framewright eval subjects my-photos/ --engine full,rules,vlm --split 9:16
  framewright eval own my-photos/ --engine full,vlm --lora mine.gguf
  framewright eval flms FLMS/ --engine vlm --ablate all --sweep candidates=1,3,5,8 --sweep votes=1,3,5 --report a.html
  framewright eval flms FLMS/ --engine vlm --adapters base= --adapters sft=sft.gguf --adapters dpo=sft.gguf,dpo.gguf`;

/** `framewright eval <dataset> <folder>`: engines measured on labelled photos, side by side. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .description('measure engines on a labelled data set')
    .addArgument(new Argument('<dataset>', 'which one').choices(Object.keys(DATASET_READERS)))
    .argument('<folder>', 'where its labels and photos are')
    .option('--engine <names>', `comma-separated (default: those of ${DEFAULT_ENGINES.join(',')} that can)`, parseList)
    .option(
      '-n, --candidates <n>',
      'crops the model proposes',
      parseWhole('candidates', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.candidates,
    )
    .option(
      '--votes <n>',
      'orders its decision is averaged over',
      parseWhole('votes', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.votes,
    )
    .option('--ablate <stages>', `without each in turn: all, or of ${STAGES.join(',')}`, parseStages, [])
    .option('--adapters <name=files>', 'a named set of LoRA adapters, repeatable, the whole one last', collectSets, [])
    .option('--sweep <setting=values>', `one of ${SWEPT.join(', ')} with each value, repeatable`, collectSweeps, [])
    .option(
      '--index <file>',
      'for the engine retrieval, made by framewright index build (default: the one of the package)',
    )
    .option('--split <name>', 'only photos of this split, e.g. test')
    .option('--limit <n>', 'only the first n photos', parseWhole('limit', 1, Number.MAX_SAFE_INTEGER))
    .option(
      '--jobs <n>',
      'photos in the model at once (default: 1; with --queue asked about at once, 16)',
      parseWhole('jobs', 1, 1000),
    )
    .option(
      '--queue <url>',
      'ask the model of the workers of this queue (framewright fleet work), not one of this machine',
    )
    .option('--journal <file>', "where predictions are kept between runs (default: in the user's cache folder)")
    .option('--no-journal', 'predict everything anew and keep nothing')
    .option('--resamples <n>', 'bootstrap samples of an interval', parseWhole('resamples', 1, 1_000_000), 2000)
    .option('--seed <n>', 'seed of the bootstrap', parseWhole('seed', 0, 2 ** 32 - 1), 1)
    .option('--report <file>', 'a page with charts and a gallery (.html)')
    .option('--out <file>', 'everything as JSON')
    .option('--csv <file>', 'figures as CSV; those of the photos go beside it (.photos.csv)')
    .option('--json', 'the figures as one JSON object on stdout', false)
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP);
  addModelFlags(command).action(
    (dataset: DatasetName, folder: string, flags: Omit<EvalFlags, 'jobs'> & { jobs?: number }) =>
      runEval(dataset, folder, { ...flags, jobs: flags.jobs ?? (flags.queue === undefined ? 1 : REMOTE_JOBS) }),
  );
}

async function runEval(name: DatasetName, folder: string, flags: EvalFlags): Promise<void> {
  const outputs = [flags.report, flags.out, flags.csv, flags.csv && photosCsvPath(flags.csv)];
  for (const output of outputs) if (output) await checkOutput(output, { force: flags.force });
  const { signal, stopListening } = interruptSignal();
  try {
    const dataset = await DATASET_READERS[name](folder, { signal });
    tell('labels repaired or left out', dataset.repairs);
    const run = await evaluate(name, dataset, flags, signal);
    tell(
      'labelled photos are missing',
      run.missing.map(({ id, reason }) => `${id}: ${reason}`),
    );
    const result = aggregate(run, { resamples: flags.resamples, seed: flags.seed });
    await writeOutputs(result, flags, signal);
    printText(flags.json ? `${JSON.stringify({ ...result, photos: undefined })}\n` : figuresText(result));
    tell(
      'predictions failed',
      result.errors.map(({ photo, method, code, message }) => `${photo}, ${method}: ${message} [${code}]`),
    );
    if (result.errors.length > 0) process.exitCode = EXIT.somePhotos;
  } finally {
    stopListening();
  }
}

async function evaluate(name: DatasetName, dataset: Dataset, flags: EvalFlags, signal: AbortSignal): Promise<Run> {
  const engines = flags.engine ?? DEFAULT_ENGINES.filter((engine) => engine !== 'prior' || dataset.kind === 'ranking');
  const [whole, ...others] = await variantGroups(dataset.kind, engines, flags);
  const factories: Record<string, MethodFactory> = {
    ...MODEL_FREE_METHODS,
    retrieval: () => retrievalMethods(dataset, flags.index, { ...towerOptionsOf(flags), signal }),
    vlm: () => openGroup(whole, flags, signal, { isFirst: true }),
  };
  const methods = await makeMethods(engines, factories, { dataset, signal }, { isChosen: flags.engine !== undefined });
  await using journal = await openJournal(name, flags.journal);
  if (journal && journal.nUnreadable > 0) {
    say(
      `framewright: ${counted(journal.nUnreadable, 'torn line')} of ${journal.path} ${journal.nUnreadable === 1 ? 'is' : 'are'} left out\n`,
    );
  }
  const runs: [Run, ...Run[]] = [await runMethods(dataset, methods, journal, flags, signal)];
  for (const group of others) {
    runs.push(await runMethods(dataset, await openGroup(group, flags, signal), journal, flags, signal));
  }
  return mergeRuns(runs);
}

/** Runs the methods and closes them: of models that are loaded in different ways, one is in memory at a time. */
async function runMethods(
  dataset: Dataset,
  methods: readonly Method[],
  journal: Journal | undefined,
  flags: EvalFlags,
  signal: AbortSignal,
): Promise<Run> {
  const progress = new Progress();
  try {
    return await runEvaluation(dataset, methods, {
      jobs: flags.jobs,
      signal,
      onProgress: ({ nDone, nTotal, photo, method }) => progress.show(`${nDone} of ${nTotal}: ${method}, ${photo}`),
      ...defined({ split: flags.split, limit: flags.limit, journal }),
    });
  } finally {
    progress.clear();
    await closeMethods(methods);
  }
}

function openJournal(name: DatasetName, choice: string | boolean): Promise<Journal | undefined> {
  if (choice === false) return Promise.resolve(undefined);
  return Journal.open(typeof choice === 'string' ? choice : path.join(cacheFolder(), 'eval', `${name}.jsonl`));
}

async function writeOutputs(result: EvaluationResult, flags: EvalFlags, signal: AbortSignal): Promise<void> {
  const write = (file: string, text: string): Promise<void> =>
    writeFileAtomic(file, Buffer.from(text), { force: flags.force, signal });
  if (flags.out !== undefined) await write(flags.out, `${JSON.stringify(result)}\n`);
  if (flags.csv !== undefined) {
    await write(flags.csv, figuresCsv(result));
    await write(photosCsvPath(flags.csv), photosCsv(result));
  }
  if (flags.report !== undefined) await write(flags.report, await renderReport(result, { signal }));
}

function tell(what: string, notes: readonly string[]): void {
  if (notes.length === 0) return;
  const shown = notes.slice(0, NOTES_SHOWN).map((note) => `  ${note}\n`);
  const rest =
    notes.length > NOTES_SHOWN ? `  and ${notes.length - NOTES_SHOWN} more, in the report and the JSON\n` : '';
  say(`framewright: ${notes.length} ${what}\n${shown.join('')}${rest}`);
}

function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
