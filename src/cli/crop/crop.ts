import { Argument, Option, type Command } from 'commander';
import { XMP_WAYS } from '../../batch/options.js';
import { runBatch } from '../../batch/run-batch.js';
import { CROP_DEFAULTS, MAX_CANDIDATES } from '../../crop/defaults.js';
import { PLACES } from '../../crop/place.js';
import { SIDECAR_NAMES } from '../../photo/metadata/sidecar-path.js';
import { OUTPUT_FORMATS } from '../../photo/output-format.js';
import { FALLBACKS, FITS } from '../../base/schema.js';
import { SERIES } from '../../cropper/series/series-wish.js';
import { refuseConflicts } from './crop-conflicts.js';
import { batchOptionsOf, type CropFlags } from './crop-flags.js';
import { refuseMistypedCommand } from './mistyped-command.js';
import { parsePreset, PRESET_NAMES, PRESETS_HELP } from './presets.js';
import { tellBatch } from './tell-batch.js';
import { readXmpFlag } from './xmp-flag.js';
import { watchCrop } from './watch-crop.js';
import { interruptBatch } from '../terminal/interrupt.js';
import {
  addModelFlags,
  collect,
  engineOption,
  parseColour,
  parseFocusFlag,
  parseJobs,
  parseMarginFlag,
  parseRect,
  parseShare,
  parseStraighten,
  parseTemperature,
  parseWhole,
} from '../options.js';
import { COMMAND_NAMES, DEFAULT_COMMAND } from '../command-names.js';
import { EXIT } from '../terminal/report-error.js';
import { goOnWithoutStdout } from '../terminal/stdout.js';

const EXAMPLES = `
Examples:
  framewright photo.jpg                         # writes photo-crop.jpg beside it
  framewright -a 4:5 -a 16:9 -o out/ *.jpg      # two crops of each photo, from one analysis
  framewright --size 1080x1350 photo.jpg        # exact pixels
  framewright --preset story photo.jpg          # the pixels that a place takes
  framewright --keep 420,80,300,640 photo.jpg   # this rectangle is never cut
  framewright --json --dry-run photo.jpg        # only say where
  framewright --lossless -a 4:5 -o out/ photos/ # JPEGs cut as they are, never encoded anew
  framewright --focus 50%,30% photo.jpg         # built around this point
  framewright --engine faces,vlm,centre -a 1:1 in/   # around faces, where there are none as the model says
  framewright --straighten auto -o out/ in/     # tilted photos are turned upright first, where that is sure
  framewright --series auto -o out/ in/         # near-identical frames get the same crop
  framewright --like chosen.jpg -o out/ in/     # as that one was cropped by hand
  framewright --whole-text -a 1:1 signs/        # no edge goes through a line of text that was found
  framewright --place left -a 16:9 photo.jpg    # the subject on the left third
  framewright --margin 10% --keep 420,80,300,640 photo.jpg   # trimmed to it, with some room
  framewright --fit blur --preset story wide.jpg   # the whole subject, on a blurred canvas where need be
  framewright --resume -o out/ --recursive in/  # go on with a run that was stopped or killed
  framewright --min-confidence 0.4 -o out/ in/  # unsure crops are listed in out/review.jsonl instead
  framewright --hints out/review.jsonl -o out/ --engine rules   # the photos and ratios of that list
  framewright "photos/**/*.{jpg,tif}" -o out/    # patterns, where the shell leaves them alone
  framewright - < photo.jpg > crop.jpg          # one photo from stdin, its crop to stdout
  framewright -a 1:1 -a 4:5 --name "{aspect}/{name}{ext}" -o out/ photos/
  framewright --xmp -a 4:5 photos/              # for raw developers such as darktable, not as pictures
  framewright --xmp embed -a 4:5 photos/        # in the photos' own XMP, where Lightroom reads it
  framewright --dry-run --report r.html photos/ # look through all crops and pick others, in a browser
  framewright --jobs 4 -o out/ photos/          # four photos share the model's batches
  framewright --choices choices.jsonl -o out/   # crop as picked there
  framewright --watch -a 4:5 -o out/ inbox/     # crop what arrives in inbox/, until Ctrl-C

Exit codes: 0 ok, 1 failure, 2 usage, 3 model missing or unloadable, 4 some photos gave no crop, 130 interrupted.`;

/** `framewright <photos|folders>`, the default command. */
export function addCropCommand(program: Command): void {
  const command = program
    .command(DEFAULT_COMMAND, { isDefault: true })
    .description('crop photos (the default command)')
    .addArgument(new Argument('[photos...]', 'image files, folders and patterns of them, - for stdin'))
    .addOption(engineOption())
    .option(
      '--index <file>',
      'for the engine retrieval, made by framewright index build (default: the one of the package)',
    )
    .option('-o, --output <file|folder>', 'where to write, - for stdout (default: beside each photo)')
    .option('-a, --aspect <ratio>', 'aspect ratio, e.g. 4:5; repeatable', collect(String), [])
    .option('--size <pixels>', 'output size, e.g. 1080x1350; repeatable', collect(String), [])
    .addOption(
      new Option('--preset <name>', 'output size by where the picture goes, e.g. instagram-portrait; repeatable')
        .choices(PRESET_NAMES)
        .argParser(collect(parsePreset))
        .default([]),
    )
    .option(
      '-n, --candidates <n>',
      'crops to propose',
      parseWhole('candidates', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.candidates,
    )
    .option('--top <k>', 'write the k best candidates', parseWhole('top', 1, MAX_CANDIDATES), 1)
    .option(
      '--votes <n>',
      'orders of the candidates to average the decision over',
      parseWhole('votes', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.votes,
    )
    .option('--keep <x,y,w,h>', 'rectangle no crop may cut; repeatable', collect(parseRect), [])
    .option('--focus <x,y>', 'point the crop is built around, in pixels or as 50%,30%', parseFocusFlag)
    .option(
      '--no-camera-focus',
      'leave aside what the camera has noted of its subject (EXIF SubjectArea, SubjectLocation; the autofocus of Canon EOS and Sony)',
    )
    .addOption(
      new Option(
        '--place <where>',
        'where in the crop its subject is to be, by thirds; left leaves the height as it is',
      ).choices([...PLACES]),
    )
    .option(
      '--margin <room>',
      'trim to the subject with this room around it: 10% of its longer side, or 40px (with --keep, to what that names)',
      parseMarginFlag,
    )
    .option(
      '--faces',
      'find heads and keep them whole, with room around; needs packages of its own, which are named if absent',
      false,
    )
    .option(
      '--hints <file>',
      'wishes for single photos, JSON Lines: {"path": "a.jpg", "focus": [420, 310], "keep": [...]}',
    )
    .option(
      '--min-size <share>',
      "least area of a crop, as a share of the photo's (default: 0.25, less where a ratio has no room for it)",
      parseShare,
    )
    .addOption(
      new Option(
        '--fit <how>',
        'where no crop of a ratio holds what is to be kept, or one is smaller than --size: crop leaves the ratio out and enlarges, pad and blur put it on a canvas (default: crop)',
      ).choices([...FITS]),
    )
    .option('--background <colour>', 'of the canvas of --fit pad, as #rrggbb (default: white)', parseColour)
    .option('--enlarge', 'enlarge what --fit pad or blur puts on a canvas until it fills it one way', false)
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
    .option(
      '--instruct <words>',
      'what to look for, e.g. "keep the dog, more sky"; needs a Qwen-VL (--model qwen2.5-vl-7b), the default model takes none',
    )
    .option(
      '--straighten <off|auto|degrees>',
      'turn a tilted photo upright first: auto where its horizon or upright edges show clearly that it is tilted, or by so many degrees, clockwise (default: off)',
      parseStraighten,
    )
    .option(
      '--whole-text',
      'look for lines of printed text and cut none that was found: crops are moved a little, each line inside or outside',
      false,
    )
    .addOption(
      new Option(
        '--series <how>',
        'photos whose crops are to be one: auto those taken one soon after the other that show the same, folder all of a folder (default: off)',
      ).choices([...SERIES]),
    )
    .option(
      '--like <photo[,crop]>',
      'the subject as large, and where, as in this crop: a picture that was cropped, a photo and its crop, or a photo with a crop in its XMP sidecar',
    )
    .addOption(new Option('--format <format>', "output format (default: the source's)").choices([...OUTPUT_FORMATS]))
    .option('--quality <n>', "encoder quality, 1..100 (default: a JPEG's own)", parseWhole('quality', 1, 100))
    .option('--first-frame', 'of an animated GIF, WebP or PNG, crop the first frame alone', false)
    .option('--strip', 'leave out EXIF, IPTC, XMP, gain map and colour profile', false)
    .option('--name <template>', 'names of the files, of {name}, {dir}, {aspect}, {rank}, {index} and {ext}')
    .option(
      '--lossless',
      'cut JPEGs without decoding them, by the program jpegtran: no pixel changes, and two edges of a crop move outwards by up to 15 pixels, as stderr says',
      false,
    )
    .option('--keep-time', "give the crops the photo's modification time", false)
    .addOption(
      new Option(
        '--xmp [where]',
        "note the crop in XMP, and write a picture only with --output: sidecar (default), a file beside the photo, which Lightroom reads of raw files only; embed, the photo's own file (JPEG, TIFF, PNG, HEIC), which it reads",
      )
        .choices([...XMP_WAYS])
        .preset(XMP_WAYS[0])
        .default(false),
    )
    .addOption(
      new Option(
        '--xmp-name <name>',
        "what sidecars are called: x.xmp, which Adobe's programs read, and darktable when it imports; x.jpg.xmp, as darktable and digiKam call their own (default: x.xmp, but x.jpg.xmp where there is one or x.xmp is another file's)",
      ).choices([...SIDECAR_NAMES]),
    )
    .option('--overlay', 'also write the photo with composition and candidates drawn on it', false)
    .option('--report <file>', 'a page to look through the crops and pick others (.html)')
    .option('--contact-sheet <file>', 'one picture of all photos with their crops drawn on them')
    .option('--choices <file>', 'crop as picked in such a page; takes no photos and no model')
    .option('--dry-run', 'write no crops', false)
    .option('--recursive', 'look below folders', false)
    .option(
      '--jobs <n|auto>',
      'photos at once: auto finds out how many gain where that changes no crop; a number lets them share batches',
      parseJobs,
      'auto',
    )
    .option('--watch', 'go on cropping what arrives in these folders, until Ctrl-C', false)
    .option('--resume', 'go on with a run that was stopped or killed: what it has done is not done again', false)
    .option('--journal <file>', 'where a run of several photos notes what is done (default: in the output folder)')
    .option('--no-journal', 'note nothing: the run cannot be resumed')
    .option('--force', 'overwrite', false)
    .option('--json', 'one JSON object a crop on stdout', false)
    .option(
      '--seed <n>',
      'seed, used when the temperature is above 0',
      parseWhole('seed', 0, 2 ** 32 - 1),
      CROP_DEFAULTS.seed,
    )
    .option('--temperature <t>', '0 takes the most probable answer', parseTemperature, CROP_DEFAULTS.temperature)
    .option('--max-pixels <n>', 'largest photo to take', parseWhole('max-pixels', 1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', PRESETS_HELP)
    .addHelpText('after', EXAMPLES);
  readXmpFlag(command);
  addModelFlags(command).action((photos: string[], flags: CropFlags) => {
    if (process.argv.length <= 2 && photos.length === 0 && flags.hints === undefined && flags.choices === undefined) {
      program.help({ error: true });
    }
    const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
    return runCrop(photos, flags, given);
  });
}

async function runCrop(photos: readonly string[], flags: CropFlags, given: readonly Option[]): Promise<void> {
  refuseMistypedCommand(photos, COMMAND_NAMES);
  refuseConflicts(photos, flags, given);
  if (writesFiles(flags)) goOnWithoutStdout();
  const interrupt = interruptBatch();
  try {
    const listener = tellBatch(flags, interrupt);
    if (flags.watch) {
      await watchCrop(photos, flags, interrupt, listener);
      return;
    }
    const { failures, isStopped } = await runBatch(batchOptionsOf(photos, flags, interrupt), listener);
    if (failures.length > 0) process.exitCode = EXIT.somePhotos;
    if (isStopped) process.exitCode = EXIT.interrupted;
  } finally {
    interrupt.stopListening();
  }
}

function writesFiles({ dryRun, report, contactSheet, reviewList }: CropFlags): boolean {
  return !dryRun || [report, contactSheet, reviewList].some((file) => file !== undefined);
}
