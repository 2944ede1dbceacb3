import type { Command } from 'commander';
import { FramewrightError } from '../../base/errors.js';
import { serveMetrics } from '../../fleet/status/metrics-server.js';
import { prometheusText } from '../../fleet/status/prometheus.js';
import { fleetStatus } from '../../fleet/status/fleet-status.js';
import { parseWhole } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { printText, say } from '../terminal/visible.js';
import { addQueueOption, type QueueFlags } from './queue-option.js';
import { statusText } from './status-text.js';
import { waitForRun } from './wait.js';

interface StatusFlags extends QueueFlags {
  readonly json: boolean;
  readonly metrics: boolean;
  readonly wait: boolean;
  readonly listen?: number;
  readonly host: string;
}

const HELP = `
Rates are of the last five minutes. bull-board and whatever else knows BullMQ shows the queue too; docs/fleet.md says how.

Examples:
  framewright fleet status
  framewright fleet status autumn --wait
  framewright fleet status --json
  framewright fleet status --listen 9464          # for Prometheus, at /metrics`;

export function addStatusCommand(fleet: Command): void {
  const command = fleet
    .command('status')
    .description('how far runs are, and what workers do')
    .argument('[run]', 'one of them (default: all)');
  addQueueOption(command)
    .option('--json', 'one JSON object', false)
    .option('--metrics', 'as Prometheus reads it', false)
    .option('--wait', 'stay until the run has ended', false)
    .option('--listen <port>', 'serve it to Prometheus, at /metrics, until Ctrl-C', parseWhole('listen', 0, 65_535))
    .option('--host <address>', 'what to listen on; 0.0.0.0 is every network there is', '127.0.0.1')
    .addHelpText('after', HELP)
    .action(status);
}

async function status(run: string | undefined, flags: StatusFlags): Promise<void> {
  const { queue, json, metrics, wait, listen, host } = flags;
  if ([json, metrics, listen !== undefined].filter(Boolean).length > 1) {
    throw new FramewrightError('USAGE', '--json, --metrics and --listen are three ways to say the same; give one');
  }
  if (listen !== undefined) {
    await listenUntilEnded(queue, { port: listen, host });
    return;
  }
  if (wait) {
    if (run === undefined) throw new FramewrightError('USAGE', '--wait is for one run: name it');
    const { signal, stopListening } = interruptSignal();
    try {
      await waitForRun(queue, run, signal);
    } finally {
      stopListening();
    }
    if (!json && !metrics) return;
  }
  const found = await fleetStatus({ queue, ...(run === undefined ? {} : { run }) });
  if (json) printText(`${JSON.stringify(run === undefined ? found : found.runs[0])}\n`);
  else printText(metrics ? prometheusText(found) : statusText(found));
}

async function listenUntilEnded(queue: string, at: { readonly port: number; readonly host: string }): Promise<void> {
  const { signal, stopListening } = interruptSignal();
  try {
    await using server = await serveMetrics(queue, at);
    say(`framewright: ${server.url}/metrics\n`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  } finally {
    stopListening();
  }
}
