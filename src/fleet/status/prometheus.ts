import { family, type Sample } from '../../base/prometheus.js';
import type { FleetStatus } from './run-status.js';

/** How far runs are and what workers do, for Prometheus, in its text format 0.0.4. */
export function prometheusText({ runs, workers }: FleetStatus): string {
  const ofRuns = runs.map((run) => ({ run, labels: labels({ run: run.run }) }));
  return [
    family(
      'fleet_photos',
      'gauge',
      'Photos of a run found by now.',
      ofRuns.map(({ run, labels: of }) => [of, run.nPhotos]),
    ),
    family(
      'fleet_photos_done',
      'gauge',
      'Photos of a run that are done.',
      ofRuns.map(({ run, labels: of }) => [of, run.nDone]),
    ),
    family(
      'fleet_photos_failed',
      'gauge',
      'Photos of a run that failed, by error code.',
      runs.flatMap(({ run, failures }) =>
        Object.entries(failures).map(([code, n]): Sample => [labels({ run, code }), n]),
      ),
    ),
    family(
      'fleet_jobs_open',
      'gauge',
      'Jobs of a run that are not done.',
      ofRuns.map(({ run, labels: of }) => [of, run.nJobsOpen]),
    ),
    family(
      'fleet_photos_per_second',
      'gauge',
      'Photos a second of a run, over the last minutes.',
      ofRuns.map(({ run, labels: of }) => [of, run.photosPerSecond]),
    ),
    family(
      'fleet_run_state',
      'gauge',
      'What a run is at, as a label.',
      runs.map(({ run, state }): Sample => [labels({ run, state }), 1]),
    ),
    family(
      'fleet_worker_photos_total',
      'counter',
      'Photos a worker has done since it was started.',
      workers.map(({ id, nDone }): Sample => [labels({ worker: id }), nDone]),
    ),
    family(
      'fleet_worker_resident_bytes',
      'gauge',
      'Resident memory of the process of a worker that crops.',
      workers.map(({ id, residentBytes }): Sample => [labels({ worker: id }), residentBytes]),
    ),
    family(
      'fleet_worker_state',
      'gauge',
      'What a worker is at, as a label.',
      workers.map(({ id, state, host }): Sample => [labels({ worker: id, host, state }), 1]),
    ),
  ].join('');
}

/** With what the format needs escaped. */
function labels(of: Readonly<Record<string, string>>): string {
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${Object.entries(of)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}
