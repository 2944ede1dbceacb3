import { Argument, type Command } from 'commander';
import { bashScript } from './bash.js';
import { describeCommand, type CommandShape } from './describe.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';
import { DEFAULT_COMMAND } from '../command-names.js';
import { printText } from '../terminal/visible.js';

const SHELLS = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
} satisfies Record<string, (program: CommandShape, defaultCommand: string) => string>;

export type Shell = keyof typeof SHELLS;

const HELP = `
Examples:
  source <(framewright completion bash)                              # this bash; also in ~/.bashrc
  source <(framewright completion zsh)                               # this zsh, after compinit; also in ~/.zshrc
  framewright completion fish > ~/.config/fish/completions/framewright.fish`;

/** `framewright completion <shell>`: a script that completes commands, options and their values. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options on Tab')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS)))
    .addHelpText('after', HELP)
    .action((shell: Shell) => {
      printText(completionScript(program, shell));
    });
}

/** Made from commander's definitions, so that it knows every option there is. */
export function completionScript(program: Command, shell: Shell): string {
  return SHELLS[shell](describeCommand(program), DEFAULT_COMMAND);
}
