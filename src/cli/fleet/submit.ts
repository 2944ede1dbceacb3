import { Argument, Command } from 'commander';
import { counted } from '../../base/counted.js';
import { defined } from '../../base/defined.js';
import type { SubmitListener, SubmitOptions } from '../../fleet/submit/options.js';
import { submitRun, SUBMIT_DEFAULTS } from '../../fleet/submit/submit-run.js';
import { PRIORITIES } from '../../fleet/queue.js';
import { addCropOptions } from '../crop/crop-options.js';
import { cropsOf, filesOf, type CropFlags } from '../crop/crop-flags.js';
import { PRESETS_HELP } from '../crop/presets.js';
import { readXmpFlag } from '../crop/xmp-flag.js';
import { parseWhole } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { EXIT } from '../terminal/report-error.js';
import { printText, say } from '../terminal/visible.js';
import { addQueueOption, type QueueFlags } from './queue-option.js';
import { waitForRun } from './wait.js';

interface SubmitFlags extends CropFlags, QueueFlags {
  readonly run?: string;
  readonly priority: number;
  readonly jobSize: number;
  readonly mostWaiting: number;
  readonly wait: boolean;
}

/** What is about one machine, or looks at all photos at once. */
const LOCAL: ReadonlySet<string> = new Set<keyof CropFlags>([
  ...(['watch', 'resume', 'journal', 'dryRun', 'report', 'contactSheet', 'choices', 'reviewList', 'series'] as const),
  ...(['jobs', 'gpu', 'threads', 'vram', 'plan', 'verbose'] as const),
]);

const HELP = `
Photos are files, folders, patterns, and lists: text files of one path a line, or JSON Lines with a "path" each. It ends
when all photos are in the queue, of which a part waits here while the queue is full; the same command again goes on where
one was stopped, leaves out what is done, and puts in what has failed. When the last job is done the output folder has the
journal that a run of one machine would have: framewright --resume there makes --report and --contact-sheet of it.

Examples:
  framewright fleet submit /photos --recursive -a 4:5 -o /crops
  framewright fleet submit list.txt -o /crops --run autumn --wait
  framewright fleet submit /raws --xmp --model qwen2.5-vl-7b --priority 10`;

export function addSubmitCommand(fleet: Command): void {
  const command = fleet
    .command('submit')
    .description('put photos into the queue')
    .addArgument(new Argument('<photos...>', 'image files, folders, patterns of them, and lists of paths'));
  addQueueOption(command)
    .option('--run <name>', 'what the run is called (default: by its photos and options, the same each time)')
    .option(
      '--priority <n>',
      '1 is done first',
      parseWhole('priority', PRIORITIES.first, PRIORITIES.last),
      PRIORITIES.default,
    )
    .option('--job-size <n>', 'photos a worker takes at once', parseWhole('job-size', 1, 1000), SUBMIT_DEFAULTS.jobSize)
    .option(
      '--most-waiting <n>',
      'jobs in the queue at most; the rest is put in as workers make room',
      parseWhole('most-waiting', 1, 1_000_000),
      SUBMIT_DEFAULTS.mostWaiting,
    )
    .option('--wait', 'stay until all photos are done', false);
  for (const option of addCropOptions(new Command()).options) {
    if (!LOCAL.has(option.attributeName())) command.addOption(option);
  }
  readXmpFlag(command);
  command.addHelpText('after', PRESETS_HELP).addHelpText('after', HELP).action(submit);
}

async function submit(photos: string[], flags: SubmitFlags): Promise<void> {
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    const listener: SubmitListener = {
      onNote: (text) => {
        progress.clear();
        say(`framewright: ${text}\n`);
      },
      onProgress: ({ nPhotos, nEarlier, nJobs, isWaiting }) => {
        const done = nEarlier > 0 ? `, ${nEarlier} done earlier` : '';
        const full = isWaiting ? ', which is full' : '';
        progress.show(`${counted(nPhotos, 'photo')} found${done}, ${counted(nJobs, 'job')} put into the queue${full}`);
      },
      onLost: (why) => {
        progress.clear();
        say(`framewright: the queue's server is gone (${why}); waiting for it\n`);
      },
    };
    const submitted = await submitRun({ ...optionsOf(photos, flags), signal }, listener);
    progress.clear();
    const { run, nPhotos, nEarlier, nJobs, isCancelled } = submitted;
    if (flags.json) printText(`${JSON.stringify(submitted)}\n`);
    else {
      const done = nEarlier > 0 ? `, of which ${nEarlier} ${nEarlier === 1 ? 'was' : 'were'} done earlier` : '';
      printText(`${run}\n`);
      say(
        `framewright: ${run}: ${nPhotos} photos${done}, ${nJobs} jobs${isCancelled ? '; cancelled meanwhile' : ''}\n`,
      );
    }
    if (isCancelled) process.exitCode = EXIT.interrupted;
    else if (flags.wait) await waitForRun(flags.queue, run, signal);
  } finally {
    progress.clear();
    stopListening();
  }
}

function optionsOf(photos: readonly string[], flags: SubmitFlags): SubmitOptions {
  const { queue, run, priority, jobSize, mostWaiting, engine, index, model, mmproj, lora: loras, faces } = flags;
  const all = { ...filesOf(flags), ...cropsOf(photos, flags) };
  const { dryRun, report, contactSheet, cropper, journal, resume, reviewList, series, ...shared } = all;
  return {
    ...shared,
    inputs: photos,
    ...{ queue, priority, jobSize, mostWaiting },
    cropper: { engine, model, loras, faces, ...defined({ index, mmproj }) },
    ...defined({ run }),
  };
}
