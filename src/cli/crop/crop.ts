import { Argument, type Command, type Option } from 'commander';
import { runBatch } from '../../batch/run-batch.js';
import { refuseConflicts } from './crop-conflicts.js';
import { batchOptionsOf, type CropFlags } from './crop-flags.js';
import { refuseMistypedCommand } from './mistyped-command.js';
import { addCropOptions } from './crop-options.js';
import { PRESETS_HELP } from './presets.js';
import { tellBatch } from './tell-batch.js';
import { watchCrop } from './watch-crop.js';
import { interruptBatch } from '../terminal/interrupt.js';
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
    .addArgument(new Argument('[photos...]', 'image files, folders and patterns of them, - for stdin'));
  addCropOptions(command).addHelpText('after', PRESETS_HELP).addHelpText('after', EXAMPLES);
  command.action((photos: string[], flags: CropFlags) => {
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
