import { connect } from '../connect.js';
import { RunStore } from '../run/run-store.js';
import { statusOf, workerStatus, type RunStatus, type WorkerStatus } from './run-status.js';

/** All that a queue's server knows of the fleet. */
export interface FleetStatus {
  /** Oldest first. */
  readonly runs: readonly RunStatus[];
  readonly workers: readonly WorkerStatus[];
}

export interface StatusOptions {
  readonly queue: string;
  /** Only this one. Default: all. */
  readonly run?: string;
}

/** @throws FramewrightError USAGE for an address or a run there is none of */
export async function fleetStatus({ queue, run }: StatusOptions): Promise<FleetStatus> {
  await using connection = await connect(queue);
  return await readStatus(new RunStore(connection.redis), run);
}

export async function readStatus(store: RunStore, run?: string): Promise<FleetStatus> {
  const workers = await store.workers();
  const names = run === undefined ? await store.names() : [run];
  const records = await Promise.all(names.map((name) => store.record(name)));
  return { runs: records.map((record) => statusOf(record, workers)), workers: workers.map(workerStatus) };
}
