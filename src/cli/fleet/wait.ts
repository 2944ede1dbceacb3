import { setTimeout as sleep } from 'node:timers/promises';
import { fleetStatus } from '../../fleet/status/fleet-status.js';
import type { RunStatus } from '../../fleet/status/run-status.js';
import { Progress } from '../terminal/progress.js';
import { EXIT } from '../terminal/report-error.js';
import { say } from '../terminal/visible.js';
import { progressText } from './status-text.js';

const POLL_MS = 1000;

/** Shows how far a run is until it has ended; exit code 4 where photos have failed, 130 where it was cancelled. */
export async function waitForRun(queue: string, run: string, signal: AbortSignal): Promise<RunStatus> {
  const progress = new Progress();
  try {
    for (;;) {
      const status = (await fleetStatus({ queue, run })).runs[0]!;
      if (status.state === 'merged' || status.state === 'cancelled') {
        progress.clear();
        say(`framewright: ${progressText(status)}\n`);
        if (status.state === 'cancelled') process.exitCode = EXIT.interrupted;
        else if (status.nFailed > 0) process.exitCode = EXIT.somePhotos;
        return status;
      }
      progress.show(progressText(status));
      await sleep(POLL_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw signal.reason;
  } finally {
    progress.clear();
  }
}
