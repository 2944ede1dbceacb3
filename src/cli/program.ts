import { Command } from 'commander';
import { addAnalyseCommand } from './analyse.js';
import { addCropCommand } from './crop.js';
import { addDoctorCommand } from './doctor.js';
import { addEvalCommand } from './eval.js';
import { addGgufCommand } from './gguf.js';

/** The whole command, ready to parse; also what its documentation and completion are made from. */
export function buildProgram(version: string): Command {
  const program = new Command('framewright')
    .description('Crops photos the way a photographer would, on your own machine.')
    .version(version)
    .showHelpAfterError('(framewright --help shows what there is)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'framewright: ')) });
  addCropCommand(program);
  addAnalyseCommand(program);
  addGgufCommand(program);
  addEvalCommand(program);
  addDoctorCommand(program, version);
  for (const command of program.commands) command.exitOverride();
  return program;
}
