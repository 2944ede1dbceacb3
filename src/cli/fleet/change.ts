import type { Command } from 'commander';
import { cancelRun } from '../../fleet/cancel-run.js';
import { retryRun } from '../../fleet/retry-run.js';
import { counted } from '../../base/counted.js';
import { collect } from '../options.js';
import { say } from '../terminal/visible.js';
import { addQueueOption, type QueueFlags } from './queue-option.js';

const RETRY_HELP = `
Examples:
  framewright fleet retry autumn
  framewright fleet retry autumn --code WORKER_DIED`;

const CANCEL_HELP = `
What is done stays. The same submit again goes on from there.

Examples:
  framewright fleet cancel autumn`;

export function addRetryCommand(fleet: Command): void {
  const command = fleet
    .command('retry')
    .description('put the photos of a run that failed or were set aside into the queue again')
    .argument('<run>', 'which one');
  addQueueOption(command)
    .option('--code <code>', 'only those with this error code; repeatable', collect(String), [])
    .addHelpText('after', RETRY_HELP)
    .action(async (run: string, { queue, code }: QueueFlags & { readonly code: readonly string[] }) => {
      const nPhotos = await retryRun({ queue, run, codes: code });
      say(`framewright: ${run}: ${counted(nPhotos, 'photo')} to try again\n`);
    });
}

export function addCancelCommand(fleet: Command): void {
  const command = fleet.command('cancel').description('call a run off').argument('<run>', 'which one');
  addQueueOption(command)
    .addHelpText('after', CANCEL_HELP)
    .action(async (run: string, { queue }: QueueFlags) => {
      const nJobs = await cancelRun({ queue, run });
      say(`framewright: ${run} is cancelled, ${counted(nJobs, 'job')} taken out of the queue\n`);
    });
}
