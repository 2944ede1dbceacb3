import type { Command } from 'commander';
import { bytesText } from '../../base/bytes-text.js';
import { pullModel } from '../../model/pull/pull-model.js';
import { requireCatalogModel } from '../../model/resolve.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { parseWhole } from '../options.js';
import { Progress } from '../terminal/progress.js';
import { goOnWithoutStdout } from '../terminal/stdout.js';
import { printText, say } from '../terminal/visible.js';

/** `framewright model pull`: the files of models, checked, on stdout by their paths. */
export function addPullCommand(model: Command): void {
  model
    .command('pull')
    .description('download models; what was interrupted goes on where it stopped')
    .argument('<models...>', 'names, e.g. qwen2.5-vl-7b or qwen2.5-vl-7b:Q8_0')
    .option('--connections <n>', 'connections at once', parseWhole('connections', 1, 16), 4)
    .option('--json', 'one JSON object a file', false)
    .addHelpText(
      'after',
      `
Examples:
  framewright model pull qwen2.5-vl-7b
  framewright model pull qwen2.5-vl-3b:Q8_0 qwen2.5-vl-7b:Q8_0

Environment: FRAMEWRIGHT_MODELS (folder), FRAMEWRIGHT_MODEL_BASE_URL (mirror of huggingface.co),
FRAMEWRIGHT_MODEL_TOKEN (sent to https addresses and the mirror), HF_TOKEN (sent to huggingface.co and the
mirror only), https_proxy, http_proxy, no_proxy.`,
    )
    .action(pull);
}

async function pull(models: readonly string[], flags: { connections: number; json: boolean }): Promise<void> {
  goOnWithoutStdout();
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  const rate = new Rate();
  try {
    for (const name of models) {
      const { entry } = await requireCatalogModel(name);
      say(
        `framewright: ${entry.name}: ${entry.licence}, from ${entry.source}; connecting, for about a minute where nobody answers\n`,
      );
      const files = await pullModel(name, {
        connections: flags.connections,
        signal,
        onProgress: (file, received, total) => progress.show(statusOf(file, received, total, rate.of(file, received))),
        onRetry: (what) => {
          progress.clear();
          say(`framewright: ${what}\n`);
        },
        onWait: (held) => {
          progress.clear();
          say(`framewright: waiting: ${held}\n`);
        },
      });
      progress.clear();
      for (const file of files) printText(`${flags.json ? JSON.stringify(file) : file.path}\n`);
    }
  } finally {
    progress.clear();
    stopListening();
  }
}

function statusOf(file: string, received: number, total: number, bytesPerSecond: number): string {
  const rate = bytesPerSecond > 0 ? `, ${bytesText(bytesPerSecond)}/s` : '';
  if (total === 0) return `${file}: ${bytesText(received)}${rate}`;
  const left = bytesPerSecond > 0 ? `, ${Math.ceil((total - received) / bytesPerSecond)} s left` : '';
  return `${file}: ${Math.floor((100 * received) / total)} % of ${bytesText(total)}${rate}${left}`;
}

/** Bytes a second since a file was begun. */
class Rate {
  #file = '';
  #startMs = 0;
  #startBytes = 0;

  of(file: string, received: number): number {
    const now = performance.now();
    if (file !== this.#file) {
      [this.#file, this.#startMs, this.#startBytes] = [file, now, received];
      return 0;
    }
    return ((received - this.#startBytes) * 1000) / Math.max(1, now - this.#startMs);
  }
}
