import { Option, type Command } from 'commander';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { ENGINES, type EngineName } from '../../base/schema.js';
import { openCropper, type Cropper } from '../../cropper/cropper.js';
import { readTextFile } from '../../files/json-file.js';
import { SERVER_DEFAULTS } from '../../server/options.js';
import { startServer } from '../../server/server.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { addModelFlags, collect, cropperOptionsOf, parseSize, parseWhole, type ModelFlags } from '../options.js';
import { printText, say } from '../terminal/visible.js';
import { warnFallbacks, warnGivenUp, warnUntrained } from '../terminal/warnings.js';

interface ServeFlags extends ModelFlags {
  readonly engine: EngineName;
  readonly host: string;
  readonly port: number;
  readonly allowHost: readonly string[];
  readonly token: boolean;
  readonly tokenFile?: string;
  readonly root?: string;
  readonly queue: number;
  readonly jobs: number;
  readonly timeout: number;
  readonly maxBytes?: number;
  readonly maxPixels: number;
  readonly faces: boolean;
}

/** Strangers' photos are looked at, so the limit is lower than that of one's own. */
const MAX_PIXELS = 150_000_000;

const HELP = `
Prints a link with a token, which opens a page to try it; programs send the token as Authorization: Bearer. It ends on
Ctrl-C or SIGTERM, once what it works on is done. docs/serve.md describes it; so does /openapi.json.

Examples:
  framewright serve
  framewright serve --engine rules --port 8080 --root photos/
  framewright serve --host 0.0.0.0 --token-file token.txt --jobs 4

  curl --data-binary @photo.jpg -H "Authorization: Bearer $TOKEN" "localhost:3210/v1/crop?aspect=4:5"`;

/** `framewright serve`: crops over HTTP. */
export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('crop photos for other programs, over HTTP')
    .addOption(new Option('--engine <name>', 'what finds the crops').choices([...ENGINES]).default('vlm'))
    .option('--host <address>', 'what to listen on; 0.0.0.0 is every network there is', SERVER_DEFAULTS.host)
    .option('--port <n>', 'port, 0 for a free one', parseWhole('port', 0, 65_535), SERVER_DEFAULTS.port)
    .option('--allow-host <name>', 'a further name it goes by, as of a proxy; repeatable', collect(String), [])
    .option('--token-file <file>', 'what holds the token (default: a new one is made and printed)')
    .option('--no-token', 'let in every program of this machine; not beyond it')
    .option('--root <folder>', 'photos below it may be named (?path=) in place of an upload')
    .option(
      '--queue <n>',
      'requests that may wait; further ones are told to come later',
      parseWhole('queue', 0, 100_000),
      SERVER_DEFAULTS.queue,
    )
    .option('--jobs <n>', 'photos in the model at once', parseWhole('jobs', 1, 64), 1)
    .option(
      '--timeout <seconds>',
      'longest a request may take, waiting included',
      parseWhole('timeout', 1, 86_400),
      SERVER_DEFAULTS.timeoutMs / 1000,
    )
    .option('--max-bytes <size>', 'largest upload (default: 64MB)', parseSize)
    .option('--max-pixels <n>', 'largest photo', parseWhole('max-pixels', 1, Number.MAX_SAFE_INTEGER), MAX_PIXELS)
    .option('--faces', 'find heads and keep them whole; needs packages of its own, which are named if absent', false)
    .addHelpText('after', HELP);
  addModelFlags(command).action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  const { host, port, root, queue, maxBytes, timeout, jobs, verbose } = flags;
  const token = await tokenOf(flags);
  const { signal, stopListening } = interruptSignal();
  try {
    await using cropper = await openUntil(signal, flags);
    warnUntrained(cropper);
    warnGivenUp(cropper);
    warnFallbacks(cropper, flags.gpu);
    const server = await startServer({
      cropper,
      ...{ host, port, queue, allowedHosts: flags.allowHost, atOnce: jobs + 1, timeoutMs: timeout * 1000 },
      ...defined({ token, root, maxBytes }),
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
async function openUntil(signal: AbortSignal, flags: ServeFlags): Promise<Cropper> {
  const { engine, faces, jobs, maxPixels } = flags;
  const opening = new AbortController();
  const onAbort = (): void => opening.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    const options = { ...cropperOptionsOf(flags), engine, faces, parallel: jobs, maxPixels };
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
async function tokenOf({ token, tokenFile }: ServeFlags): Promise<string | false | undefined> {
  if (tokenFile === undefined) return token ? undefined : false;
  if (!token) throw new FramewrightError('USAGE', 'give --token-file or --no-token, not both');
  return (await readTextFile(tokenFile, 'token file', MOST_TOKEN_BYTES)).trim();
}

const MOST_TOKEN_BYTES = 4096;
