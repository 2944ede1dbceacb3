import path from 'node:path';
import { Argument, Option, type Command } from 'commander';
import { CropJournal, type JournalPlace } from '../batch/crop-journal.js';
import { openCropper, type Cropper, type PhotoWishes } from '../cropper.js';
import { FramewrightError } from '../errors.js';
import { readHints, type PhotoHint } from '../hints.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../image/encode.js';
import { ENGINES, FALLBACKS, type CropRect, type EngineName, type Fallback } from '../schema.js';
import type { Focus } from '../steps/focus.js';
import { parseTargets, type Target } from '../target.js';
import { cropFiles, type CropRun } from './crop-files.js';
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
import { filesOf, planOutputs, refuseExisting, STDOUT, type PlannedPhoto } from './output-plan.js';
import { EXIT } from './report-error.js';
import { journalPlace, outputFolder, refuseForeign, rememberedRun, withoutCrops } from './resume.js';
import { ReviewList } from './review-list.js';
import { GO_ON, tellEnd } from './run-end.js';
import { readStdin } from './stdin.js';
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
}

const EXAMPLES = `
Examples:
  framewright photo.jpg                        writes photo-crop.jpg beside it
  framewright -a 4:5 -a 16:9 -o out/ *.jpg     two crops of each photo, from one analysis
  framewright --size 1080x1350 photo.jpg       exact pixels
  framewright --keep 420,80,300,640 photo.jpg  this rectangle is never cut
  framewright --json --dry-run photo.jpg       only say where
  framewright "photos/**/*.{jpg,tif}" -o out/   patterns, where the shell leaves them alone
  framewright - < photo.jpg > crop.jpg         one photo from stdin; its crop goes to stdout unless -o names a place

Exit codes: 0 ok, 1 failure, 2 usage, 3 model missing or unloadable, 4 some photos failed, 130 interrupted.`;

const REMEDY = '--force overwrites, --output names another place';

/** `framewright <photos|folders>`, the default command. */
export function addCropCommand(program: Command): void {
  const command = program
    .command('crop', { isDefault: true })
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
    .option('--min-confidence <p>', 'least score of the best candidate; see --fallback for crops below it', parseShare)
    .addOption(
      new Option(
        '--fallback <what>',
        "another engine's crop, the photo as it is, or none and a line in the review list",
      ).choices([...FALLBACKS]),
    )
    .option('--review-list <file>', 'where crops for review are listed (default: review.jsonl in the output folder)')
    .option('--instruct <words>', 'what to look for, e.g. "keep the dog, more sky"')
    .addOption(new Option('--format <format>', "output format (default: the source's)").choices([...OUTPUT_FORMATS]))
    .option('--quality <n>', 'encoder quality, 1..100', parseWhole('quality', 1, 100))
    .option('--strip', 'leave out metadata', false)
    .option('--overlay', 'also write the photo with composition and candidates drawn on it', false)
    .option('--dry-run', 'write nothing', false)
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
  addModelFlags(command).action((photos: string[], flags: CropFlags) => runCrop(photos, flags));
}

async function runCrop(photos: readonly string[], flags: CropFlags): Promise<void> {
  if (flags.top > flags.candidates) {
    throw new FramewrightError(
      'USAGE',
      `--top ${flags.top} is more than the ${flags.candidates} candidates; raise --candidates`,
    );
  }
  if (flags.fallback !== undefined && flags.minConfidence === undefined) {
    throw new FramewrightError('USAGE', '--fallback is for crops below --min-confidence; say how sure is sure enough');
  }
  const interrupt = interruptBatch();
  try {
    const { nFailed, isStopped } = await cropPhotos(photos, flags, interrupt);
    if (nFailed > 0) process.exitCode = EXIT.somePhotos;
    if (isStopped) process.exitCode = EXIT.interrupted;
  } finally {
    interrupt.stopListening();
  }
}

async function cropPhotos(
  photos: readonly string[],
  flags: CropFlags,
  interrupt: BatchInterrupt,
): Promise<{ nFailed: number; isStopped: boolean }> {
  const { signal, noMore } = interrupt;
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
  if (run.plan.length > 1) interrupt.beginPhotos();
  try {
    const end = await cropFiles(cropper, run, interrupt, memory);
    const isStopped = noMore.aborted && end.nDone + end.failures.length < run.plan.length;
    tellEnd(run, end, { isStopped, canResume: journal !== undefined });
    return { nFailed: end.failures.length, isStopped };
  } catch (error) {
    if (journal) process.stderr.write(GO_ON);
    throw error;
  }
}

/** Everything that can be refused without looking for earlier runs is refused here, before the model is loaded. */
async function prepare(
  photos: readonly string[],
  flags: CropFlags,
  signal: AbortSignal,
): Promise<{ run: CropRun; place?: JournalPlace }> {
  const shared: readonly Target[] = parseTargets(flags.aspect, flags.size);
  const hints = flags.hints === undefined ? undefined : await readHints(flags.hints);
  if (photos.length === 0 && !hints) throw new FramewrightError('USAGE', "missing required argument 'photos'");
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
  const plan = await planOutputs(taken, targetsOf, {
    top: flags.top,
    overlay: flags.overlay,
    ...(stdin ? { stdinName: stdin.name } : {}),
    ...(flags.output === undefined ? {} : { output: flags.output }),
    ...(flags.format === undefined ? {} : { extension: flags.format === 'jpeg' ? '.jpg' : `.${flags.format}` }),
  });
  if (!flags.dryRun) refuseStdout(plan, flags.json);
  const isNoted = !flags.dryRun && (plan.length > 1 || flags.resume || typeof flags.journal === 'string');
  const review = await openReviewList(found.photos, flags);
  const run: CropRun = {
    plan,
    ...(review ? { review } : {}),
    ...(stdin ? { stdin } : {}),
    dryRun: flags.dryRun,
    json: flags.json,
    verbose: flags.verbose,
    resume: flags.resume,
    wishesOf: ({ input }) => wishesOf(input),
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
    encode: {
      strip: flags.strip,
      ...(flags.format === undefined ? {} : { format: flags.format }),
      ...(flags.quality === undefined ? {} : { quality: flags.quality }),
      signal,
    },
  };
  return { run, ...(place && isNoted ? { place } : {}) };
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
  return cropper;
}
