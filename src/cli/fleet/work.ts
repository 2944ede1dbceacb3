import type { Command } from 'commander';
import { counted } from '../../base/counted.js';
import { defined } from '../../base/defined.js';
import type { EngineName } from '../../base/schema.js';
import { startWorker, LOCK_MS } from '../../fleet/worker/worker.js';
import type { WorkerListener } from '../../fleet/worker/options.js';
import {
  addModelFlags,
  cropperOptionsOf,
  engineOption,
  parseJobs,
  parseSize,
  parseWhole,
  type ModelFlags,
} from '../options.js';
import { say } from '../terminal/visible.js';
import { addQueueOption, type QueueFlags } from './queue-option.js';

interface WorkFlags extends ModelFlags, QueueFlags {
  readonly engine: readonly EngineName[];
  readonly index?: string;
  readonly faces: boolean;
  readonly jobs: number | 'auto';
  readonly memory?: number;
  readonly lock: number;
}

const HELP = `
Takes the jobs of runs that were submitted for this version with the same engine and the same model, and of no others. On
Ctrl-C or SIGTERM it finishes the photo in hand, hands back the rest of its job and ends; a second one ends it at once, and
another worker takes the job when its lock runs out.

Examples:
  framewright fleet work
  framewright fleet work --model qwen2.5-vl-7b --gpu cuda --jobs 4
  framewright fleet work --engine rules --memory 2GB`;

export function addWorkCommand(fleet: Command): void {
  const command = fleet.command('work').description('take jobs from the queue, until Ctrl-C');
  addQueueOption(command)
    .addOption(engineOption())
    .option(
      '--index <file>',
      'for the engine retrieval, made by framewright index build (default: the one of the package)',
    )
    .option('--faces', 'find heads and keep them whole; needs packages of its own, which are named if absent', false)
    .option('--jobs <n|auto>', 'photos in the model at once', parseJobs, 'auto')
    .option('--memory <size>', 'make the process that crops anew when it has grown beyond this', parseSize)
    .option(
      '--lock <seconds>',
      'not heard of for so long, it loses its job to another',
      parseWhole('lock', 1, 3600),
      LOCK_MS / 1000,
    );
  addModelFlags(command).addHelpText('after', HELP).action(work);
}

async function work(flags: WorkFlags): Promise<void> {
  const { queue, engine, index, faces, jobs: parallel, memory, lock } = flags;
  const { onLog: _, ...model } = cropperOptionsOf(flags);
  const cropper = { ...model, engine, faces, parallel, ...defined({ index }) };
  const options = { queue, cropper, lockMs: lock * 1000, verbose: flags.verbose, ...defined({ memoryBytes: memory }) };
  const worker = await startWorker(options, tellWork());
  const stop = (): void => {
    process.once('SIGINT', endNow).once('SIGTERM', endNow);
    say('framewright: finishing the photo in hand; once more stops at once\n');
    void worker.close();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await worker.ended;
  process.off('SIGINT', endNow).off('SIGTERM', endNow).off('SIGINT', stop).off('SIGTERM', stop);
}

/** Its child ends with it, since nobody speaks to it any more. */
function endNow(): void {
  process.exit(130);
}

function tellWork(): WorkerListener {
  const tell = (text: string): void => say(`framewright: ${text}\n`);
  return {
    onReady: ({ madeFor, runsOn }) => tell(`a worker for ${madeFor}, on ${runsOn}`),
    onOthersRun: ({ run, madeFor }) => tell(`the run ${run} is for ${madeFor}: this worker takes none of it`),
    onJob: ({ run, nDone, nFailed }) =>
      tell(`${run}: ${counted(nDone, 'photo')} done${nFailed > 0 ? `, ${nFailed} failed` : ''}`),
    onFailure: ({ photo, code, message }) =>
      tell(`${message.includes(photo) ? message : `${photo}: ${message}`} [${code}]`),
    onWait: ({ run, why }) => tell(`${run}: ${why}; waiting`),
    onMerged: (run) => tell(`${run} is done`),
    onLost: (why) => tell(`the queue's server is gone (${why}); waiting for it`),
  };
}
