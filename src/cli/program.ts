import { Command } from 'commander';
import { addAnalyseCommand } from './commands/analyse.js';
import { addAttentionCommand } from './commands/attention.js';
import { addCompletionCommand } from './completion/completion.js';
import { addConfigOptions } from './config/config.js';
import { addCropCommand } from './crop/crop.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEvalCommand } from './commands/eval.js';
import { addGgufCommand } from './commands/gguf.js';
import { addIndexCommand } from './commands/index-crops.js';
import { addModelCommand } from './commands/model.js';
import { addServeCommand } from './commands/serve.js';
import { addStudioCommand } from './commands/studio.js';
import { addStudyCommand } from './commands/study.js';
import { addTrainCommand } from './train/train.js';
import { visible } from './terminal/visible.js';

const HELP = `
Examples:
  framewright photo.jpg                   # photo-crop.jpg beside it
  framewright -a 4:5 -o out/ photos/      # every photo of a folder, 4:5
  framewright --engine rules photo.jpg    # without a model
  framewright doctor                      # what works here and what does not

framewright crop --help lists the options of the first three: crop is the default command.
A file framewright.config.json gives options by their long names: { "aspect": ["4:5"], "eval": { "votes": 3 } }.`;

/** The whole command, ready to parse; also what its documentation and completion are made from. */
export function buildProgram(version: string): Command {
  const program = new Command('framewright')
    .description('Crops photos the way a photographer would, on your own machine.')
    .version(version)
    .addHelpText('after', HELP)
    .showHelpAfterError('(framewright --help shows what there is)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(visible(text.replace(/^error: /, 'framewright: '))) });
  addConfigOptions(program);
  addCropCommand(program);
  addAnalyseCommand(program);
  addModelCommand(program);
  addGgufCommand(program);
  addEvalCommand(program);
  addAttentionCommand(program);
  addTrainCommand(program);
  addIndexCommand(program);
  addStudioCommand(program);
  addStudyCommand(program);
  addServeCommand(program);
  addDoctorCommand(program, version);
  addCompletionCommand(program);
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) command.exitOverride();
  return program;
}
