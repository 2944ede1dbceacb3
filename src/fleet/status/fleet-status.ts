import { connect } from '../connect.js';
import { RunStore } from '../run/run-store.js';
import { readStatus } from './read-status.js';
import type { FleetStatus } from './run-status.js';

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
