#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { FramewrightError, messageOf } from '../base/errors.js';
import { packageFile } from '../files/package-root.js';
import { neededCommands, type CommandName } from './command-names.js';
import { addDoctorCommand } from './commands/doctor.js';
import { Interrupted } from './terminal/interrupt.js';
import { errorLine, EXIT, exitCodeOf } from './terminal/report-error.js';
import { endWithStdout } from './terminal/stdout.js';
import { say } from './terminal/visible.js';

// Memory is to stay flat over a folder (bench/memory.mjs). V8's young generation would double after some hundred photos
// without being of use to us, and its old one fill with dead photos for as long as the machine has memory.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--incremental-marking-soft-trigger=20');

endWithStdout();

const { version } = createRequire(import.meta.url)(packageFile('package.json')) as { version: string };

try {
  const argv = helpOfInner(process.argv);
  const program = await loadProgram(neededCommands(argv.slice(2)));
  await program.parseAsync(argv);
} catch (error) {
  process.exitCode = exitFor(error);
}

/** `help model pull` shows the page of `model pull`: commander's own `help` goes no deeper than `model`. */
function helpOfInner(argv: readonly string[]): readonly string[] {
  const [node = '', script = '', first, ...words] = argv;
  const isInner = first === 'help' && words.length > 1 && words.every((word) => !word.startsWith('-'));
  return isInner ? [node, script, ...words, '--help'] : argv;
}

/** Where a library does not even load, `framewright doctor` is still to say which and what to do. */
async function loadProgram(names: readonly CommandName[]): Promise<Command> {
  try {
    const { buildProgram } = await import('./program.js');
    return await buildProgram(version, names);
  } catch (error) {
    if (process.argv[2] === 'doctor') {
      const program = new Command('framewright').exitOverride();
      addDoctorCommand(program, version);
      return program;
    }
    throw new FramewrightError('INTERNAL', `cannot start, "framewright doctor" says more: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function exitFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  say(`${errorLine(error)}\n`);
  return exitCodeOf(error);
}
