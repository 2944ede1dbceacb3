import { Argument, Option, type Command } from 'commander';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { CROP_DEFAULTS, MAX_CANDIDATES } from '../../crop/defaults.js';
import { makeFolder } from '../../files/make-folder.js';
import { DEFAULT_MAX_PIXELS } from '../../photo/decode.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../../photo/output-format.js';
import { studioFolder } from '../../studio/library/own-folder.js';
import { startStudio } from '../../studio/studio.js';
import { startStudy } from '../../studio/start-study.js';
import type { Straighten } from '../../crop/straighten-wish.js';
import { collect, parseShare, parseStraighten, parseWhole } from '../options.js';
import { say } from '../terminal/visible.js';
import { addServingFlags, serveUntilEnded, type ServingFlags } from './serving.js';

interface StudioFlags extends ServingFlags {
  readonly output?: string;
  readonly recursive: boolean;
  readonly candidates: number;
  readonly minConfidence?: number;
  readonly straighten: Straighten;
  readonly format?: OutputFormat;
  readonly quality?: number;
  readonly strip: boolean;
  readonly name?: string;
  readonly xmp: boolean;
  readonly keepTime: boolean;
  readonly evaluation: readonly string[];
  readonly training: readonly string[];
  readonly study?: string;
}

/** Beside a server's, so that both can run. */
const PORT = 3211;

const HELP = `
Prints a link, which opens the photos of a folder in a browser: crop them all, look through the unsure ones, take a crop in
hand, save. Without a folder it opens one of its own for photos that are dropped on the page. What was done there is kept
beside the photos, in .framewright-studio.jsonl; the photos themselves are never changed. docs/studio.md describes it.

Examples:
  framewright studio photos/
  framewright studio photos/ --recursive -o crops/ --min-confidence 0.4
  framewright studio                              # drop photos on the page
  framewright studio photos/ --host 0.0.0.0       # from a phone in the same network; the link has a token
  framewright studio --study study.json           # people say which of two crops is better; docs/study.md`;

/** `framewright studio`: the photos of a folder in a local page. */
export function addStudioCommand(program: Command): void {
  const command = program
    .command('studio')
    .description('look through photos and their crops in a local page, and change them')
    .addArgument(new Argument('[folder]', 'the photos (default: a folder of its own, for photos dropped on the page)'))
    .option('-o, --output <folder>', 'where crops are saved (default: cropped/ in the folder)')
    .option('--recursive', 'look below the folder', false)
    .option(
      '-n, --candidates <n>',
      'crops to propose',
      parseWhole('candidates', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.candidates,
    )
    .option(
      '--min-confidence <p>',
      'least score of the best candidate; below it, the photo is to be reviewed',
      parseShare,
    )
    .option(
      '--straighten <off|auto|degrees>',
      'turn photos upright before they are cropped: auto, where that is sure',
      parseStraighten,
      'off',
    )
    .addOption(new Option('--format <format>', "output format (default: the source's)").choices([...OUTPUT_FORMATS]))
    .option('--quality <n>', "encoder quality, 1..100 (default: a JPEG's own)", parseWhole('quality', 1, 100))
    .option('--strip', 'leave out EXIF, IPTC, XMP, gain map and colour profile', false)
    .option('--name <template>', 'names of the files, of {name}, {aspect}, {index} and {ext}')
    .option('--keep-time', "give the crops the photo's modification time", false)
    .option('--xmp', 'also note the crops in XMP sidecars', false)
    .option('--evaluation <file>', 'figures of `eval --out` for the page Learn, repeatable', collect(String), [])
    .option('--training <folder>', 'a training run for the page Learn, repeatable', collect(String), [])
    .option(
      '--study <file>',
      'in place of a folder: a study, in which people compare crops, each by a link of their own',
    )
    .addHelpText('after', HELP);
  addServingFlags(command, { port: PORT, maxPixels: DEFAULT_MAX_PIXELS }).action(studio);
}

async function studio(given: string | undefined, flags: StudioFlags): Promise<void> {
  if (flags.study !== undefined) {
    await study(given, flags.study, flags);
    return;
  }
  const folder = given ?? studioFolder();
  if (given === undefined) {
    await makeFolder(folder);
    say(`framewright: photos dropped on the page are kept in ${folder}\n`);
  }
  const { output, recursive, candidates, minConfidence, straighten, format, quality } = flags;
  const { strip, name, xmp, keepTime, maxPixels } = flags;
  await serveUntilEnded(flags, (options) =>
    startStudio({
      ...options,
      ...{ folder, recursive, candidates, straighten, strip, xmp, keepTime, maxPixels },
      ...{ evaluations: flags.evaluation, trainings: flags.training },
      ...defined({ output, minConfidence, format, quality, name }),
    }),
  );
}

/** No model is at work: the crops are made already. */
async function study(folder: string | undefined, file: string, flags: StudioFlags): Promise<void> {
  if (folder !== undefined) throw new FramewrightError('USAGE', 'give a folder of photos or --study, not both');
  const { maxPixels } = flags;
  await serveUntilEnded({ ...flags, engine: ['full'], faces: false }, (options) =>
    startStudy({ ...options, study: file, maxPixels }),
  );
}
