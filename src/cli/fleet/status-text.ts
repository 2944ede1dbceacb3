import { bytesText } from '../../base/bytes-text.js';
import { alignedLines } from '../../base/text-table.js';
import type { FleetStatus, RunStatus, WorkerStatus } from '../../fleet/status/run-status.js';
import { durationText, rateText } from '../terminal/batch-progress.js';

/** `autumn: running, 120 of 10000 photos, 2 failed, 31 a minute, 5 h 19 min left` */
export function progressText(status: RunStatus): string {
  const { run, state, nPhotos, nDone, nFailed, photosPerSecond, secondsLeft } = status;
  const parts = [`${run}: ${STATES[state]}`, `${nDone} of ${nPhotos} photos`];
  if (nFailed > 0) parts.push(`${nFailed} failed`);
  if (photosPerSecond > 0 && state === 'running') parts.push(rateText(photosPerSecond));
  if (secondsLeft !== undefined && state === 'running') parts.push(`${durationText(secondsLeft * 1000)} left`);
  return parts.join(', ');
}

const STATES: Readonly<Record<RunStatus['state'], string>> = {
  submitting: 'being put in',
  abandoned: 'half put in',
  submitted: 'all in',
  running: 'running',
  waiting: 'no worker takes it',
  ending: 'joining its journals',
  merged: 'done',
  cancelled: 'cancelled',
};

/** Of a run, what became of it and what to do. */
export const ABANDONED = 'is put in by nobody any more, before all of it was: the same fleet submit again goes on';

/** Tables of runs and workers, and what has failed of each run. */
export function statusText({ runs, workers }: FleetStatus): string {
  if (runs.length === 0) return 'no runs\n' + workersText(workers);
  const rows = runs.map((status): string[] => {
    const { run, state, nPhotos, nDone, nFailed, photosPerSecond, secondsLeft } = status;
    return [
      run,
      STATES[state],
      String(nPhotos),
      String(nDone),
      String(nFailed),
      state === 'running' && photosPerSecond > 0 ? rateText(photosPerSecond) : '',
      state === 'running' && secondsLeft !== undefined ? durationText(secondsLeft * 1000) : '',
    ];
  });
  const failures = runs.flatMap(({ run, failures: of, madeFor, state }) => [
    ...(Object.keys(of).length > 0
      ? [
          `${run}: ${Object.entries(of)
            .map(([code, n]) => `${n} ${code}`)
            .join(', ')}`,
        ]
      : []),
    ...(state === 'abandoned' ? [`${run} ${ABANDONED}`] : []),
    ...(state === 'waiting' ? [`${run} is for ${madeFor}, and no such worker is there`] : []),
  ]);
  const table = tableText([['run', 'state', 'photos', 'done', 'failed', 'rate', 'left'], ...rows]);
  return table + failures.map((line) => `${line}\n`).join('') + workersText(workers);
}

function workersText(workers: readonly WorkerStatus[]): string {
  if (workers.length === 0) return 'no workers\n';
  const rows = workers.map(({ id, state, run = '', nDone, residentBytes, madeFor, runsOn, why }): string[] => [
    id,
    why === undefined ? state : `${state}: ${why}`,
    run,
    String(nDone),
    residentBytes > 0 ? bytesText(residentBytes) : '',
    `${madeFor}; ${runsOn}`,
  ]);
  return tableText([['worker', 'state', 'run', 'done', 'memory', 'what it is'], ...rows]);
}

function tableText(rows: readonly (readonly string[])[]): string {
  return alignedLines(rows)
    .map((line) => `${line}\n`)
    .join('');
}
