import { Command } from 'commander';
import { COMMAND_NAMES, type CommandName } from './command-names.js';
import { addConfigOptions } from './config/config.js';
import { visible } from './terminal/visible.js';

/** What adds each command; loaded with all that it needs once it is asked for. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<(program: Command, version: string) => void>>> = {
  crop: async () => (await import('./crop/crop.js')).addCropCommand,
  analyse: async () => (await import('./commands/analyse.js')).addAnalyseCommand,
  model: async () => (await import('./commands/model.js')).addModelCommand,
  gguf: async () => (await import('./commands/gguf.js')).addGgufCommand,
  eval: async () => (await import('./commands/eval.js')).addEvalCommand,
  attention: async () => (await import('./commands/attention.js')).addAttentionCommand,
  train: async () => (await import('./train/train.js')).addTrainCommand,
  index: async () => (await import('./commands/index-crops.js')).addIndexCommand,
  studio: async () => (await import('./commands/studio.js')).addStudioCommand,
  study: async () => (await import('./commands/study.js')).addStudyCommand,
  serve: async () => (await import('./commands/serve.js')).addServeCommand,
  fleet: async () => (await import('./fleet/fleet.js')).addFleetCommand,
  doctor: async () => (await import('./commands/doctor.js')).addDoctorCommand,
  completion: async () => (await import('./completion/completion.js')).addCompletionCommand,
};

const HELP = `
Examples:
  framewright photo.jpg                   # photo-crop.jpg beside it
  framewright -a 4:5 -o out/ photos/      # every photo of a folder, 4:5
  framewright --engine rules photo.jpg    # without a model
  framewright doctor                      # what works here and what does not

framewright crop --help lists the options of the first three: crop is the default command.
A file framewright.config.json gives options by their long names: { "aspect": ["4:5"], "eval": { "votes": 3 } }.`;

/**
 * The command, ready to parse; whole, it is also what its documentation and completion are made from.
 *
 * @param names the commands in it. Default: all
 */
export async function buildProgram(version: string, names: readonly CommandName[] = COMMAND_NAMES): Promise<Command> {
  const program = new Command('framewright')
    .description('Crops photos the way a photographer would, on your own machine.')
    .version(version)
    .addHelpText('after', HELP)
    .showHelpAfterError('(framewright --help shows what there is)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(visible(text.replace(/^error: /, 'framewright: '))) });
  addConfigOptions(program, () => buildProgram(version));
  for (const name of names) {
    const add = await COMMANDS[name]();
    add(program, version);
  }
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) command.exitOverride();
  return program;
}
