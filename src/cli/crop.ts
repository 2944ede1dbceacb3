import { Argument, Option, type Command } from 'commander';
import { readChoices, type Choice } from '../choices.js';
import { chosenCrops } from '../chosen-crops.js';
import { openCropper, type Cropper } from '../cropper.js';
import { FramewrightError } from '../errors.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../image/encode.js';
import { ENGINES, type CropRect, type EngineName } from '../schema.js';
import { parseTargets, type Target } from '../target.js';
import { cropFiles, type CropRun } from './crop-files.js';
import { expandInputs } from './inputs.js';
import { interruptSignal } from './interrupt.js';
import {
  addModelFlags,
  collect,
  cropperOptionsOf,
  parseRect,
  parseShare,
  parseWhole,
  type ModelFlags,
} from './options.js';
import { planOutputs, type PlannedPhoto, type PlanOptions } from './output-plan.js';
import { EXIT } from './report-error.js';
import { openSummaries } from './summaries.js';
import { warnFallbacks, warnUntrained } from './warnings.js';

interface CropFlags extends ModelFlags {
  readonly engine: EngineName;
  readonly output?: string;
  readonly aspect: readonly string[];
  readonly size: readonly string[];
  readonly candidates: number;
  readonly top: number;
  readonly votes: number;
  readonly keep: readonly CropRect[];
  readonly minSize: number;
  readonly instruct?: string;
  readonly format?: OutputFormat;
  readonly quality?: number;
  readonly strip: boolean;
  readonly overlay: boolean;
  readonly dryRun: boolean;
  readonly recursive: boolean;
  readonly force: boolean;
  readonly json: boolean;
  readonly seed: number;
  readonly temperature: number;
  readonly maxPixels?: number;
  readonly report?: string;
  readonly contactSheet?: string;
  readonly choices?: string;
}

/** What `framewright photo.jpg` runs. */
export const DEFAULT_COMMAND = 'crop';

const EXAMPLES = `
Examples:
  framewright photo.jpg                       # writes photo-crop.jpg beside it
  framewright -a 4:5 -a 16:9 -o out/ *.jpg    # two crops of each photo, from one analysis
  framewright --size 1080x1350 photo.jpg      # exact pixels
  framewright --keep 420,80,300,640 photo.jpg # this rectangle is never cut
  framewright --json --dry-run photo.jpg      # only say where
  framewright --dry-run --report r.html in/   # look through all crops and pick others, in a browser
  framewright --choices choices.jsonl -o out/ # crop as picked there

Exit codes: 0 ok, 1 failure, 2 usage, 3 model missing or unloadable, 4 some photos failed, 130 interrupted.`;

/** `framewright <photos|folders>`, the default command. */
export function addCropCommand(program: Command): void {
  const command = program
    .command(DEFAULT_COMMAND, { isDefault: true })
    .description('crop photos (the default command)')
    .addArgument(new Argument('[photos...]', 'image files, and folders of them'))
    .addOption(new Option('--engine <name>', 'what finds the crops').choices([...ENGINES]).default('vlm'))
    .option('-o, --output <file|folder>', 'where to write (default: beside each photo)')
    .option('-a, --aspect <ratio>', 'aspect ratio, e.g. 4:5; repeatable', collect(String), [])
    .option('--size <pixels>', 'output size, e.g. 1080x1350; repeatable', collect(String), [])
    .option('-n, --candidates <n>', 'crops to propose', parseWhole('candidates', 1, 20), 5)
    .option('--top <k>', 'write the k best candidates', parseWhole('top', 1, 20), 1)
    .option('--votes <n>', 'orders of the candidates to average the decision over', parseWhole('votes', 1, 20), 1)
    .option('--keep <x,y,w,h>', 'rectangle no crop may cut; repeatable', collect(parseRect), [])
    .option('--min-size <share>', "least area of a crop, as a share of the photo's", parseShare, 0.25)
    .option('--instruct <words>', 'what to look for, e.g. "keep the dog, more sky"')
    .addOption(new Option('--format <format>', "output format (default: the source's)").choices([...OUTPUT_FORMATS]))
    .option('--quality <n>', 'encoder quality, 1..100', parseWhole('quality', 1, 100))
    .option('--strip', 'leave out metadata', false)
    .option('--overlay', 'also write the photo with composition and candidates drawn on it', false)
    .option('--report <file>', 'a page to look through the crops and pick others (.html)')
    .option('--contact-sheet <file>', 'one picture of all photos with their crops drawn on them')
    .option('--choices <file>', 'crop as picked in such a page; takes no photos and no model')
    .option('--dry-run', 'write no crops', false)
    .option('--recursive', 'look below folders', false)
    .option('--force', 'overwrite', false)
    .option('--json', 'one JSON object a crop on stdout', false)
    .option('--seed <n>', 'seed, used when the temperature is above 0', parseWhole('seed', 0, 2 ** 32 - 1), 0)
    .option('--temperature <t>', '0 takes the most probable answer', Number, 0)
    .option('--max-pixels <n>', 'largest photo to take', parseWhole('max-pixels', 1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', EXAMPLES);
  addModelFlags(command).action((photos: string[], flags: CropFlags) => {
    const hasTargets = ['aspect', 'size'].some((name) => command.getOptionValueSource(name) === 'cli');
    return runCrop(photos, flags, hasTargets);
  });
}

async function runCrop(photos: readonly string[], flags: CropFlags, hasTargets: boolean): Promise<void> {
  if (flags.top > flags.candidates) {
    throw new FramewrightError(
      'USAGE',
      `--top ${flags.top} is more than the ${flags.candidates} candidates; raise --candidates`,
    );
  }
  if (flags.choices !== undefined && (photos.length > 0 || hasTargets)) {
    throw new FramewrightError(
      'USAGE',
      `--choices ${flags.choices} names the photos and their ratios itself; leave these out`,
    );
  }
  const { signal, stopListening } = interruptSignal();
  try {
    const nFailed = await (flags.choices === undefined
      ? cropByEngine(photos, flags, signal)
      : cropByChoice(flags.choices, flags, signal));
    if (nFailed > 0) process.exitCode = EXIT.somePhotos;
  } finally {
    stopListening();
  }
}

async function cropByEngine(photos: readonly string[], flags: CropFlags, signal: AbortSignal): Promise<number> {
  if (photos.length === 0) {
    throw new FramewrightError('USAGE', "missing required argument 'photos': name image files, or folders of them");
  }
  const targets: readonly Target[] = parseTargets(flags.aspect, flags.size);
  const plan = await planOutputs(await expandInputs(photos, flags.recursive), targets, planOptions(flags));
  const run = await prepare(plan, flags, signal);
  await using cropper = await open(flags, signal);
  return await cropFiles(cropper, run);
}

async function cropByChoice(file: string, flags: CropFlags, signal: AbortSignal): Promise<number> {
  const choices = await readChoices(file);
  const run = await prepare(await planChoices(choices, planOptions(flags)), flags, signal);
  const options = { signal, ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }) };
  return cropFiles({ cropEach: () => chosenCrops(choices, options) }, run);
}

/** A planned photo for each choice, in their order. */
async function planChoices(choices: readonly Choice[], options: PlanOptions): Promise<PlannedPhoto[]> {
  const byTarget = new Map<string, Choice[]>();
  for (const choice of choices) {
    const key = JSON.stringify(choice.target);
    byTarget.set(key, [...(byTarget.get(key) ?? []), choice]);
  }
  const planned = new Map<Choice, PlannedPhoto>();
  for (const group of byTarget.values()) {
    const plan = await planOutputs(
      group.map(({ path }) => path),
      [group[0]!.target],
      { ...options, top: 1 },
    );
    group.forEach((choice, i) => planned.set(choice, plan[i]!));
  }
  return choices.map((choice) => planned.get(choice)!);
}

function planOptions(flags: CropFlags): PlanOptions {
  return {
    top: flags.top,
    overlay: flags.overlay,
    force: flags.force || flags.dryRun,
    ...(flags.output === undefined ? {} : { output: flags.output }),
    ...(flags.format === undefined ? {} : { extension: flags.format === 'jpeg' ? '.jpg' : `.${flags.format}` }),
  };
}

/** Everything that can be refused is refused here, before the model is loaded. */
async function prepare(plan: readonly PlannedPhoto[], flags: CropFlags, signal: AbortSignal): Promise<CropRun> {
  return {
    plan,
    dryRun: flags.dryRun,
    json: flags.json,
    verbose: flags.verbose,
    summaries: await openSummaries(flags, plan.length, plan.flatMap(({ crops }) => crops).length),
    request: {
      aspects: flags.aspect,
      sizes: flags.size,
      candidates: flags.candidates,
      votes: flags.votes,
      keep: flags.keep,
      minSize: flags.minSize,
      seed: flags.seed,
      temperature: flags.temperature,
      ...(flags.instruct === undefined ? {} : { instruct: flags.instruct }),
      signal,
    },
    force: flags.force,
    encode: {
      strip: flags.strip,
      ...(flags.format === undefined ? {} : { format: flags.format }),
      ...(flags.quality === undefined ? {} : { quality: flags.quality }),
      signal,
    },
  };
}

async function open(flags: CropFlags, signal: AbortSignal): Promise<Cropper> {
  const cropper = await openCropper({
    ...cropperOptionsOf(flags),
    engine: flags.engine,
    ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }),
    signal,
  });
  warnUntrained(cropper);
  warnFallbacks(cropper, flags.gpu);
  return cropper;
}
