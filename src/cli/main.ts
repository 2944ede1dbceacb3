#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { packageFile } from '../package-root.js';
import { addAnalyseCommand } from './analyse.js';
import { addCropCommand } from './crop.js';
import { addEvalCommand } from './eval.js';
import { addGgufCommand } from './gguf.js';
import { Interrupted } from './interrupt.js';
import { addModelCommand } from './model.js';
import { errorLine, EXIT, exitCodeOf } from './report-error.js';

// Memory is to stay flat over a folder (bench/memory.mjs). V8's young generation would double after some hundred photos
// without being of use to us, and its old one fill with dead photos for as long as the machine has memory.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--incremental-marking-soft-trigger=20');

// `framewright --json | head` closes our stdout: no more to do, and no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const { version } = createRequire(import.meta.url)(packageFile('package.json')) as { version: string };

const program = new Command('framewright')
  .description('Crops photos the way a photographer would, on your own machine.')
  .version(version)
  .showHelpAfterError('(framewright --help shows what there is)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'framewright: ')) });
addCropCommand(program);
addAnalyseCommand(program);
addModelCommand(program);
addGgufCommand(program);
addEvalCommand(program);
for (const command of program.commands.flatMap((each) => [each, ...each.commands])) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitFor(error);
}

function exitFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  process.stderr.write(`${errorLine(error)}\n`);
  return exitCodeOf(error);
}
