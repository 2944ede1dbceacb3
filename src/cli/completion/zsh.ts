import type { ValueKind } from '../option-values.js';
import { allCommands, withDefault, type CommandShape, type OptionShape } from './describe.js';

/** A script for zsh's own completion system, one function a command. */
export function zshScript(program: CommandShape, defaultCommand: string): string {
  return `#compdef framewright
# zsh completion for framewright; to load it: source <(framewright completion zsh), after compinit
${allCommands(program)
  .map((command) => (command.commands.length > 0 ? dispatcher(command, defaultCommand) : leaf(command)))
  .join('\n')}
# Loaded from $fpath it is to complete; sourced, to be known.
if [[ $funcstack[1] == _framewright ]]; then
  _framewright "$@"
else
  compdef _framewright framewright
fi
`;
}

function functionName({ path }: CommandShape): string {
  return ['_framewright', ...path].join('_');
}

/** Offers subcommands in first place, and hands the rest of the line to the one chosen. */
function dispatcher(command: CommandShape, defaultCommand: string): string {
  const cases = command.commands.map(
    (inner) => `    ${inner.name}) shift words; ((CURRENT--)); ${functionName(inner)}; return ;;`,
  );
  const descriptions = command.commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`);
  return `${functionName(command)}() {
  local -a commands=(
${descriptions.join('\n')}
  )
  if ((CURRENT > 2)); then
    case $words[2] in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
  elif [[ $PREFIX != -* ]]; then
    _describe command commands
  fi
${argumentsOf(withDefault(command, defaultCommand))}
}`;
}

function leaf(command: CommandShape): string {
  return `${functionName(command)}() {
${argumentsOf(command)}
}`;
}

function argumentsOf(command: CommandShape): string {
  const specs = [
    ...command.options.map(optionSpec),
    ...command.arguments.map((value, i) => {
      const isLast = i === command.arguments.length - 1;
      return quoted(`${isLast && value.kind === 'file' ? '*' : i + 1}:${value.kind}:${action(value)}`);
    }),
  ];
  return `  _arguments -s -S \\\n${specs.map((spec) => `    ${spec}`).join(' \\\n')}`;
}

function optionSpec({ long, short, description, value, isOptional, isRepeatable }: OptionShape): string {
  const names = short === undefined ? [long] : [short, long];
  const exclusive = isRepeatable ? '*' : `(${names.join(' ')})`;
  const text = `[${escaped(description).replaceAll(/[[\]]/g, '\\$&')}]`;
  const taken = value ? `${isOptional ? '::' : ':'}${escaped(value.name)}:${action(value)}` : '';
  if (names.length === 1) return quoted(`${exclusive}${long}${value ? '=' : ''}${text}${taken}`);
  return `${quoted(exclusive)}{${short!}${value ? '+' : ''},${long}${value ? '=' : ''}}${quoted(text + taken)}`;
}

function action(value: ValueKind): string {
  if (value.kind === 'choice' && value.isList) return `_values -s , name ${value.choices.join(' ')}`;
  if (value.kind === 'choice') return `(${value.choices.join(' ')})`;
  return value.kind === 'file' ? '_files' : ' ';
}

function escaped(text: string): string {
  return text.replaceAll(':', '\\:');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
