import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatus } from '../../fleet/status/read-status.js';
import { connect } from '../../fleet/connect.js';
import { RunStore } from '../../fleet/run/run-store.js';
import type { RunStatus } from '../../fleet/status/run-status.js';
import { Progress } from '../terminal/progress.js';
import { EXIT } from '../terminal/report-error.js';
import { say } from '../terminal/visible.js';
import { ABANDONED, progressText } from './status-text.js';

const POLL_MS = 1000;

/**
 * Shows how far a run is until it has ended; exit code 4 where photos have failed or nobody puts the rest of them in, 130 where
 * it was cancelled.
 */
export async function waitForRun(queue: string, run: string, signal: AbortSignal): Promise<RunStatus> {
  const progress = new Progress();
  // One for all its questions: a server that is restarted meanwhile is waited for.
  await using connection = await connect(queue);
  const store = new RunStore(connection.redis);
  const aborted = once(signal, 'abort').then(() => Promise.reject(signal.reason as Error));
  aborted.catch(() => undefined);
  try {
    for (;;) {
      const status = (await Promise.race([readStatus(store, run), aborted])).runs[0]!;
      if (status.state === 'merged' || status.state === 'cancelled') {
        progress.clear();
        say(`framewright: ${progressText(status)}\n`);
        if (status.state === 'cancelled') process.exitCode = EXIT.interrupted;
        else if (status.nFailed > 0) process.exitCode = EXIT.somePhotos;
        return status;
      }
      if (status.state === 'abandoned' && status.nJobsOpen === 0) {
        progress.clear();
        say(`framewright: ${progressText(status)}; it ${ABANDONED}\n`);
        process.exitCode = EXIT.somePhotos;
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
