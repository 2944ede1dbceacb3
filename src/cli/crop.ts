import path from 'node:path';
import { Argument, Option, type Command } from 'commander';
import { CropJournal, type JournalPlace } from '../batch/crop-journal.js';
import { readChoices, type Choice } from '../choices.js';
import { chosenCrops } from '../chosen-crops.js';
import { openCropper, type Cropper, type PhotoWishes } from '../cropper.js';
import { FramewrightError } from '../errors.js';
import { readHints, type PhotoHint } from '../hints.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../image/encode.js';
import { ENGINES, FALLBACKS, type CropRect, type EngineName, type Fallback } from '../schema.js';
import type { Focus } from '../steps/focus.js';
import { parseTargets, type Target } from '../target.js';
import { cropFiles, type CropRun, type RunMemory } from './crop-files.js';
import { expandInputs, STDIN } from './inputs.js';
import { interruptBatch, type BatchInterrupt } from './interrupt.js';
import {
  addModelFlags,
  collect,
  cropperOptionsOf,
  parseFocus,
  parseRect,
  parseShare,
  parseWhole,
  type ModelFlags,
} from './options.js';
import { filesOf, planOutputs, refuseExisting, STDOUT, type PlannedPhoto, type PlanOptions } from './output-plan.js';
import { EXIT } from './report-error.js';
import { journalPlace, outputFolder, refuseForeign, rememberedRun, withoutCrops } from './resume.js';
import { ReviewList } from './review-list.js';
import { GO_ON, tellEnd } from './run-end.js';
import { readStdin } from './stdin.js';
import { openSummaries } from './summaries.js';
import { warnFallbacks, warnGivenUp, warnUntrained } from './warnings.js';

interface CropFlags extends ModelFlags {
  readonly engine: EngineName;
  readonly output?: string;
  readonly aspect: readonly string[];
  readonly size: readonly string[];
  readonly candidates: number;
  readonly top: number;
  readonly votes: number;
  readonly keep: readonly CropRect[];
  readonly focus?: Focus;
  readonly faces: boolean;
  readonly hints?: string;
  readonly minSize: number;
  readonly minConfidence?: number;
  readonly fallback?: Fallback;
  readonly reviewList?: string;
  readonly instruct?: string;
  readonly format?: OutputFormat;
  readonly quality?: number;
  readonly strip: boolean;
  readonly name?: string;
  readonly keepTime: boolean;
  readonly xmp: boolean;
  readonly overlay: boolean;
  readonly dryRun: boolean;
  readonly recursive: boolean;
  readonly resume: boolean;
  readonly journal: string | boolean;
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
  framewright photo.jpg                         # writes photo-crop.jpg beside it
  framewright -a 4:5 -a 16:9 -o out/ *.jpg      # two crops of each photo, from one analysis
  framewright --size 1080x1350 photo.jpg        # exact pixels
  framewright --keep 420,80,300,640 photo.jpg   # this rectangle is never cut
  framewright --json --dry-run photo.jpg        # only say where
  framewright --focus 50%,30% photo.jpg         # built around this point
  framewright --resume -o out/ --recursive in/  # go on with a run that was stopped or killed
  framewright --min-confidence 0.4 -o out/ in/  # unsure crops are listed in out/review.jsonl instead
  framewright --hints out/review.jsonl -o out/ --engine rules   # the photos and ratios of that list
  framewright "photos/**/*.{jpg,tif}" -o out/   # patterns, where the shell leaves them alone
  framewright - < photo.jpg > crop.jpg          # one photo from stdin, its crop to stdout
  framewright -a 1:1 -a 4:5 --name "{aspect}/{name}{ext}" -o out/ photos/
  framewright --xmp -a 4:5 photos/              # for Lightroom, Camera Raw and darktable, not as pictures
  framewright --dry-run --report r.html photos/ # look through all crops and pick others, in a browser
  framewright --choices choices.jsonl -o out/   # crop as picked there

Exit codes: 0 ok, 1 failure, 2 usage, 3 model missing or unloadable, 4 some photos failed, 130 interrupted.`;

const REMEDY = '--force overwrites, --output names another place';

/** `framewright <photos|folders>`, the default command. */
export function addCropCommand(program: Command): void {
  const command = program
    .command(DEFAULT_COMMAND, { isDefault: true })
    .description('crop photos (the default command)')
    .addArgument(new Argument('[photos...]', 'image files, folders and patterns of them, - for stdin'))
    .addOption(new Option('--engine <name>', 'what finds the crops').choices([...ENGINES]).default('vlm'))
    .option('-o, --output <file|folder>', 'where to write, - for stdout (default: beside each photo)')
    .option('-a, --aspect <ratio>', 'aspect ratio, e.g. 4:5; repeatable', collect(String), [])
    .option('--size <pixels>', 'output size, e.g. 1080x1350; repeatable', collect(String), [])
    .option('-n, --candidates <n>', 'crops to propose', parseWhole('candidates', 1, 20), 5)
    .option('--top <k>', 'write the k best candidates', parseWhole('top', 1, 20), 1)
    .option('--votes <n>', 'orders of the candidates to average the decision over', parseWhole('votes', 1, 20), 1)
    .option('--keep <x,y,w,h>', 'rectangle no crop may cut; repeatable', collect(parseRect), [])
    .option('--focus <x,y>', 'point the crop is built around, in pixels or as 50%,30%', parseFocus)
    .option('--faces', 'find heads and cut none (needs packages of its own, which are named if absent)', false)
    .option(
      '--hints <file>',
      'wishes for single photos, JSON Lines: {"path": "a.jpg", "focus": [420, 310], "keep": [...]}',
    )
    .option('--min-size <share>', "least area of a crop, as a share of the photo's", parseShare, 0.25)
    .option(
      '--min-confidence <p>',
      'least score of the best candidate (1 / candidates: no preference at all); below it, see --fallback',
      parseShare,
    )
    .addOption(
      new Option(
        '--fallback <what>',
        "instead of an unsure crop: another engine's, the photo as it is, or a line in the review list (default)",
      ).choices([...FALLBACKS]),
    )
    .option('--review-list <file>', 'where crops for review are listed (default: review.jsonl in the output folder)')
    .option('--instruct <words>', 'what to look for, e.g. "keep the dog, more sky"')
    .addOption(new Option('--format <format>', "output format (default: the source's)").choices([...OUTPUT_FORMATS]))
    .option('--quality <n>', "encoder quality, 1..100 (default: a JPEG's own)", parseWhole('quality', 1, 100))
    .option('--strip', 'leave out EXIF, IPTC, XMP, gain map and colour profile', false)
    .option('--name <template>', 'names of the files, of {name}, {aspect}, {rank}, {index} and {ext}')
    .option('--keep-time', "give the crops the photo's modification time", false)
    .option('--xmp', 'note the crop in an XMP sidecar; a picture is written only with --output', false)
    .option('--overlay', 'also write the photo with composition and candidates drawn on it', false)
    .option('--report <file>', 'a page to look through the crops and pick others (.html)')
    .option('--contact-sheet <file>', 'one picture of all photos with their crops drawn on them')
    .option('--choices <file>', 'crop as picked in such a page; takes no photos and no model')
    .option('--dry-run', 'write no crops', false)
    .option('--recursive', 'look below folders', false)
    .option('--resume', 'go on with a run that was stopped or killed: what it has done is not done again', false)
    .option('--journal <file>', 'where a run of several photos notes what is done (default: in the output folder)')
    .option('--no-journal', 'note nothing: the run cannot be resumed')
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
  if (flags.fallback !== undefined && flags.minConfidence === undefined) {
    throw new FramewrightError('USAGE', '--fallback is for crops below --min-confidence; say how sure is sure enough');
  }
  if (flags.choices !== undefined && (photos.length > 0 || hasTargets)) {
    throw new FramewrightError(
      'USAGE',
      `--choices ${flags.choices} names the photos and their ratios itself; leave these out`,
    );
  }
  const interrupt = interruptBatch();
  try {
    const { nFailed, isStopped } = await (flags.choices === undefined
      ? cropByEngine(photos, flags, interrupt)
      : cropByChoice(flags.choices, flags, interrupt));
    if (nFailed > 0) process.exitCode = EXIT.somePhotos;
    if (isStopped) process.exitCode = EXIT.interrupted;
  } finally {
    interrupt.stopListening();
  }
}

async function cropByEngine(photos: readonly string[], flags: CropFlags, interrupt: BatchInterrupt): Promise<Outcome> {
  const { signal } = interrupt;
  const { run, place } = await prepare(photos, flags, signal);
  await using journal = place && (await CropJournal.open(place));
  if (!flags.dryRun && !flags.force && !flags.resume) {
    await refuseExisting(run.plan, journal?.isEmpty === false ? `${REMEDY}, --resume goes on` : REMEDY);
  }
  await using cropper = await open(flags, signal);
  const memory = journal && (await rememberedRun(journal, run, cropper));
  if (memory && flags.resume) {
    process.stderr.write(`framewright: ${memory.finished.size} of ${run.plan.length} photos were done earlier\n`);
  }
  if (memory && flags.resume && !flags.force) await refuseForeign(run, memory);
  try {
    return await cropAndTell(cropper, run, interrupt, memory);
  } catch (error) {
    if (journal) process.stderr.write(GO_ON);
    throw error;
  }
}

async function cropByChoice(file: string, flags: CropFlags, interrupt: BatchInterrupt): Promise<Outcome> {
  const { signal } = interrupt;
  const choices = await readChoices(file);
  const plan = await planChoices(choices, planOptions(flags));
  if (!flags.dryRun && !flags.force) await refuseExisting(plan, REMEDY);
  const run = await cropRun(plan, flags, signal);
  const options = { signal, ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }) };
  return cropAndTell({ cropEach: (tasks) => inStep(tasks, chosenCrops(choices, options)) }, run, interrupt);
}

/** What became of a run, as its exit code tells. */
interface Outcome {
  readonly nFailed: number;
  readonly isStopped: boolean;
}

async function cropAndTell(
  cropper: Pick<Cropper, 'cropEach'>,
  run: CropRun,
  interrupt: BatchInterrupt,
  memory?: RunMemory,
): Promise<Outcome> {
  if (run.plan.length > 1) interrupt.beginPhotos();
  const end = await cropFiles(cropper, run, interrupt, memory);
  const isStopped = interrupt.noMore.aborted && end.nDone + end.failures.length < run.plan.length;
  tellEnd(run, end, { isStopped, canResume: memory !== undefined });
  return { nFailed: end.failures.length, isStopped };
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
      () => [group[0]!.target],
      { ...options, top: 1 },
    );
    group.forEach((choice, i) => planned.set(choice, plan[i]!));
  }
  return choices.map((choice) => planned.get(choice)!);
}

/** Everything that can be refused without looking for earlier runs is refused here, before the model is loaded. */
async function prepare(
  photos: readonly string[],
  flags: CropFlags,
  signal: AbortSignal,
): Promise<{ run: CropRun; place?: JournalPlace }> {
  const shared: readonly Target[] = parseTargets(flags.aspect, flags.size);
  const hints = flags.hints === undefined ? undefined : await readHints(flags.hints);
  if (photos.length === 0 && !hints) {
    throw new FramewrightError('USAGE', "missing required argument 'photos': name image files, or folders of them");
  }
  const named = photos.length > 0 ? photos : [...hints!.values()].map((hint) => hint.path);
  const found = await expandInputs(named, flags.recursive);
  for (const note of found.notes) process.stderr.write(`framewright: ${note}\n`);
  const stdin = found.photos.includes(STDIN) ? await readStdin(signal) : undefined;
  const place = flags.journal === false ? undefined : await journalPlace(found.photos, flags);
  const taken = place ? await withoutCrops(found.photos, place) : found.photos;
  if (hints) tellUnused(hints, taken);
  const wishesOf = (photo: string): PhotoWishes => hints?.get(path.resolve(photo))?.wishes ?? {};
  const targetsOf = (photo: string): readonly Target[] => {
    const { aspects, sizes } = wishesOf(photo);
    return (aspects ?? sizes) ? parseTargets(aspects ?? [], sizes ?? []) : shared;
  };
  const options = { ...planOptions(flags), ...(stdin ? { stdinName: stdin.name } : {}) };
  const plan = await planOutputs(taken, targetsOf, options);
  if (!flags.dryRun) refuseStdout(plan, flags.json);
  const isNoted = !flags.dryRun && (plan.length > 1 || flags.resume || typeof flags.journal === 'string');
  const review = await openReviewList(taken, flags);
  const run: CropRun = {
    ...(await cropRun(plan, flags, signal)),
    wishesOf: ({ input }) => wishesOf(input),
    ...(review ? { review } : {}),
    ...(stdin ? { stdin } : {}),
  };
  return { run, ...(place && isNoted ? { place } : {}) };
}

function planOptions(flags: CropFlags): PlanOptions {
  return {
    top: flags.top,
    overlay: flags.overlay,
    xmp: flags.xmp,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.output === undefined ? {} : { output: flags.output }),
    ...(flags.format === undefined ? {} : { extension: flags.format === 'jpeg' ? '.jpg' : `.${flags.format}` }),
  };
}

async function cropRun(plan: readonly PlannedPhoto[], flags: CropFlags, signal: AbortSignal): Promise<CropRun> {
  return {
    plan,
    dryRun: flags.dryRun,
    json: flags.json,
    verbose: flags.verbose,
    resume: flags.resume,
    wishesOf: () => ({}),
    summaries: await openSummaries(flags, plan.length, plan.flatMap(({ crops }) => crops).length),
    request: {
      aspects: flags.aspect,
      sizes: flags.size,
      candidates: flags.candidates,
      votes: flags.votes,
      keep: flags.keep,
      minSize: flags.minSize,
      ...(flags.focus ? { focus: flags.focus } : {}),
      seed: flags.seed,
      temperature: flags.temperature,
      ...(flags.minConfidence === undefined ? {} : { minConfidence: flags.minConfidence }),
      ...(flags.fallback === undefined ? {} : { fallback: flags.fallback }),
      ...(flags.instruct === undefined ? {} : { instruct: flags.instruct }),
      signal,
    },
    force: flags.force,
    keepTime: flags.keepTime,
    encode: {
      strip: flags.strip,
      ...(flags.format === undefined ? {} : { format: flags.format }),
      ...(flags.quality === undefined ? {} : { quality: flags.quality }),
      signal,
    },
  };
}

/** A hint whose path is mistyped would be missed by nobody. */
function tellUnused(hints: ReadonlyMap<string, PhotoHint>, photos: readonly string[]): void {
  const taken = new Set(photos.map((photo) => path.resolve(photo)));
  const unused = [...hints].filter(([photo]) => !taken.has(photo)).map(([, hint]) => hint);
  if (unused.length === 0) return;
  const [{ from, path: first }] = unused as [PhotoHint];
  process.stderr.write(
    `framewright: ${unused.length} hints are for photos that are not among those given (${from}: ${first})\n`,
  );
}

/** Only where a crop may be left for review. */
async function openReviewList(photos: readonly string[], flags: CropFlags): Promise<ReviewList | undefined> {
  const { minConfidence, fallback = 'review', dryRun } = flags;
  if (minConfidence === undefined || fallback !== 'review' || dryRun) return undefined;
  const file = flags.reviewList ?? path.join(await outputFolder(photos, flags.output), 'review.jsonl');
  return ReviewList.open(file, { force: flags.force || flags.resume });
}

/** The bytes of a crop are for a program to read, and nothing may be mixed into them. */
function refuseStdout(plan: readonly PlannedPhoto[], json: boolean): void {
  if (!plan.some((photo) => filesOf(photo).includes(STDOUT))) return;
  if (json) {
    throw new FramewrightError(
      'USAGE',
      'stdout cannot take both the crop and JSON; name a file with --output, or write none with --dry-run',
    );
  }
  if (process.stdout.isTTY) {
    throw new FramewrightError('USAGE', 'stdout is a terminal; name a file with --output, or redirect it');
  }
}

async function open(flags: CropFlags, signal: AbortSignal): Promise<Cropper> {
  const cropper = await openCropper({
    ...cropperOptionsOf(flags),
    engine: flags.engine,
    faces: flags.faces,
    ...(flags.maxPixels === undefined ? {} : { maxPixels: flags.maxPixels }),
    signal,
  });
  warnUntrained(cropper);
  warnFallbacks(cropper, flags.gpu);
  warnGivenUp(cropper);
  return cropper;
}
