import type { Command } from 'commander';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import type { EngineName } from '../../base/schema.js';
import { openCropper, type Cropper } from '../../cropper/cropper.js';
import { readTextFile } from '../../files/json-file.js';
import { needPackages } from '../../files/optional-packages.js';
import type { RunningServer } from '../../server/running-server.js';
import { SERVER_DEFAULTS, type ServerOptions } from '../../server/options.js';
import {
  addModelFlags,
  collect,
  cropperOptionsOf,
  engineOption,
  parseSize,
  parseWhole,
  type ModelFlags,
} from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { printText, say } from '../terminal/visible.js';
import { warnFallbacks, warnGivenUp, warnUntrained } from '../terminal/warnings.js';

/** Options of every command that serves. */
export interface ServingFlags extends ModelFlags {
  readonly engine: readonly EngineName[];
  readonly host: string;
  readonly port: number;
  readonly allowHost: readonly string[];
  readonly token: boolean;
  readonly tokenFile?: string;
  readonly maxBytes?: number;
  readonly maxPixels: number;
  readonly jobs: number;
  readonly faces: boolean;
  readonly index?: string;
}

export interface ServingDefaults {
  readonly port: number;
  readonly maxPixels: number;
}

export function addServingFlags(command: Command, { port, maxPixels }: ServingDefaults): Command {
  command
    .addOption(engineOption())
    .option(
      '--index <file>',
      'for the engine retrieval, made by framewright index build (default: the one of the package)',
    )
    .option('--host <address>', 'what to listen on; 0.0.0.0 is every network there is', SERVER_DEFAULTS.host)
    .option('--port <n>', 'port, 0 for a free one', parseWhole('port', 0, 65_535), port)
    .option('--allow-host <name>', 'a further name it goes by, as of a proxy; repeatable', collect(String), [])
    .option('--token-file <file>', 'what holds the token (default: a new one is made and printed)')
    .option('--no-token', 'let in every program of this machine; not beyond it')
    .option('--jobs <n>', 'photos in the model at once', parseWhole('jobs', 1, 64), 1)
    .option('--max-bytes <size>', 'largest upload (default: 64MB)', parseSize)
    .option('--max-pixels <n>', 'largest photo', parseWhole('max-pixels', 1, Number.MAX_SAFE_INTEGER), maxPixels)
    .option('--faces', 'find heads and keep them whole; needs packages of its own, which are named if absent', false)
    // Before a model is loaded or a folder is made.
    .hook('preAction', (_command, serving) => needPackages('server', `framewright ${serving.name()}`));
  return addModelFlags(command);
}

/** Serves until the process is told to end, and then until what it works on is done. */
export async function serveUntilEnded(
  flags: ServingFlags,
  start: (options: ServerOptions) => Promise<RunningServer>,
): Promise<void> {
  const { host, port, maxBytes, jobs, verbose } = flags;
  const token = await tokenOf(flags);
  const { signal, stopListening } = interruptSignal();
  try {
    await using cropper = await openUntil(signal, flags);
    warnUntrained(cropper);
    warnGivenUp(cropper);
    warnFallbacks(cropper, flags.gpu);
    const server = await start({
      cropper,
      ...{ host, port, allowedHosts: flags.allowHost, atOnce: jobs + 1 },
      ...defined({ token, maxBytes }),
      onLog: (line) => say(`framewright: ${line}\n`),
      logRequests: verbose,
    });
    printText(`${server.link}\n`);
    await ended(signal);
    await server.close();
  } finally {
    stopListening();
  }
}

/** A cropper that the signal keeps from opening and does not stop later: what it is working on then is to be finished. */
async function openUntil(signal: AbortSignal, flags: ServingFlags): Promise<Cropper> {
  const { engine, index, faces, jobs, maxPixels } = flags;
  const opening = new AbortController();
  const onAbort = (): void => opening.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    const options = { ...cropperOptionsOf(flags), engine, faces, parallel: jobs, maxPixels, ...defined({ index }) };
    return await openCropper({ ...options, signal: opening.signal });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

/** Undefined: one is made. */
async function tokenOf({ token, tokenFile }: ServingFlags): Promise<string | false | undefined> {
  if (tokenFile === undefined) return token ? undefined : false;
  if (!token) throw new FramewrightError('USAGE', 'give --token-file or --no-token, not both');
  return (await readTextFile(tokenFile, 'token file', MOST_TOKEN_BYTES)).trim();
}

const MOST_TOKEN_BYTES = 4096;
