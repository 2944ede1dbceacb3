import { allCommands, type CommandShape, type OptionShape } from './describe.js';

/** A script for fish, one `complete` an option or command. */
export function fishScript(program: CommandShape, defaultCommand: string): string {
  const others = program.commands.map(({ name }) => name).filter((name) => name !== defaultCommand);
  const isDefault = `not __fish_seen_subcommand_from ${others.join(' ')}`;
  const lines = [
    '# fish completion for framewright; to load it: framewright completion fish | source',
    ...program.options.map((option) => optionLine(option, '__fish_use_subcommand')),
    ...allCommands(program).flatMap((command) => commandLines(command, defaultCommand, isDefault)),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(command: CommandShape, defaultCommand: string, isDefault: string): string[] {
  const {
    path,
    commands,
    options,
    arguments: [first],
  } = command;
  const condition =
    path.length === 0
      ? '__fish_use_subcommand'
      : path.length === 1 && path[0] === defaultCommand
        ? isDefault
        : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
  const lines = commands.map(({ name, description }) => {
    const unchosen =
      path.length === 0
        ? condition
        : `${condition}; and not __fish_seen_subcommand_from ${commands.map((inner) => inner.name).join(' ')}`;
    const noFiles = path.length === 0 ? '' : ' -f';
    return `complete -c framewright -n ${quoted(unchosen)}${noFiles} -a ${name} -d ${quoted(description)}`;
  });
  if (path.length > 0) lines.push(...options.map((option) => optionLine(option, condition)));
  if (first?.kind === 'choice') {
    lines.push(`complete -c framewright -n ${quoted(condition)} -a ${quoted(first.choices.join(' '))}`);
  }
  return lines;
}

function optionLine({ long, short, description, value }: OptionShape, condition: string): string {
  const names = `-l ${long.slice(2)}${short === undefined ? '' : ` -s ${short.slice(1)}`}`;
  const taken = !value
    ? ''
    : value.kind === 'choice'
      ? ` -x -a ${quoted(value.isList ? `(__fish_append , ${value.choices.join(' ')})` : value.choices.join(' '))}`
      : value.kind === 'file'
        ? ' -r -F'
        : ' -x';
  return `complete -c framewright -n ${quoted(condition)} ${names}${taken} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
