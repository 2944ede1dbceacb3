import type { RunStore } from '../run/run-store.js';
import { statusOf, workerStatus, type FleetStatus } from './run-status.js';

/** @throws FramewrightError USAGE for a run there is none of */
export async function readStatus(store: RunStore, run?: string): Promise<FleetStatus> {
  const workers = await store.workers();
  const names = run === undefined ? await store.names() : [run];
  const records = await Promise.all(
    names.map(async (name) => {
      // Of all runs, one that is forgotten just now is none.
      if (run !== undefined) return store.record(name);
      return store.record(name).catch(() => undefined);
    }),
  );
  return {
    runs: records.filter((record) => record !== undefined).map((record) => statusOf(record, workers)),
    workers: workers.map(workerStatus),
  };
}
