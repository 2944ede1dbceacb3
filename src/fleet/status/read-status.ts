import type { RunStore } from '../run/run-store.js';
import type { FleetStatus } from './fleet-status.js';
import { statusOf, workerStatus } from './run-status.js';

export async function readStatus(store: RunStore, run?: string): Promise<FleetStatus> {
  const workers = await store.workers();
  const names = run === undefined ? await store.names() : [run];
  const records = await Promise.all(names.map((name) => store.record(name)));
  return { runs: records.map((record) => statusOf(record, workers)), workers: workers.map(workerStatus) };
}
