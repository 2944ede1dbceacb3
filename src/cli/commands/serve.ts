import type { Command } from 'commander';
import { defined } from '../../base/defined.js';
import { SERVER_DEFAULTS } from '../../server/options.js';
import { startServer } from '../../server/server.js';
import { parseWhole } from '../options.js';
import { addServingFlags, serveUntilEnded, type ServingFlags } from './serving.js';

interface ServeFlags extends ServingFlags {
  readonly root?: string;
  readonly queue: number;
  readonly timeout: number;
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
    .option('--root <folder>', 'photos below it may be named (?path=) in place of an upload')
    .option(
      '--queue <n>',
      'requests that may wait; further ones are told to come later',
      parseWhole('queue', 0, 100_000),
      SERVER_DEFAULTS.queue,
    )
    .option(
      '--timeout <seconds>',
      'longest a request may take, waiting included',
      parseWhole('timeout', 1, 86_400),
      SERVER_DEFAULTS.timeoutMs / 1000,
    )
    .addHelpText('after', HELP);
  addServingFlags(command, { port: SERVER_DEFAULTS.port, maxPixels: MAX_PIXELS }).action(serve);
}

function serve(flags: ServeFlags): Promise<void> {
  const { root, queue, timeout } = flags;
  return serveUntilEnded(flags, (options) =>
    startServer({ ...options, queue, timeoutMs: timeout * 1000, ...defined({ root }) }),
  );
}
