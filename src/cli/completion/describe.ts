import { defined } from '../../base/defined.js';
import type { Command, Option } from 'commander';
import { valueOfArgument, valueOfOption, type ValueKind } from '../option-values.js';
import { isRepeatable } from '../options.js';

export interface OptionShape {
  /** `--aspect`, with its dashes. */
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  /** Absent for a switch. */
  readonly value?: ValueKind & { readonly name: string };
  /** The value may be left out. */
  readonly isOptional?: boolean;
  readonly isRepeatable: boolean;
}

/** A command as completion sees it, made from commander's own definition of it. */
export interface CommandShape {
  /** Without the program's name: `['gguf', 'inspect']`. */
  readonly path: readonly string[];
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionShape[];
  readonly arguments: readonly ValueKind[];
  readonly commands: readonly CommandShape[];
}

export function describeCommand(command: Command, path: readonly string[] = []): CommandShape {
  return {
    path,
    name: command.name(),
    description: command.description(),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionShape), HELP],
    arguments: command.registeredArguments.map(valueOfArgument),
    commands: command.commands.map((inner) => describeCommand(inner, [...path, inner.name()])),
  };
}

/** The command and all below it. */
export function allCommands(command: CommandShape): CommandShape[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** The command with what its default command takes, where that is one of its own. */
export function withDefault(command: CommandShape, defaultCommand: string): CommandShape {
  const inner = command.commands.find(({ name }) => name === defaultCommand);
  if (!inner) return command;
  const added = inner.options.filter(({ long }) => command.options.every((own) => own.long !== long));
  return { ...command, options: [...command.options, ...added], arguments: inner.arguments };
}

/** commander adds it on its own, and lists it nowhere. */
const HELP: OptionShape = { long: '--help', short: '-h', description: 'display help for command', isRepeatable: false };

function optionShape(option: Option): OptionShape {
  const value = valueOfOption(option);
  return {
    long: option.long!,
    ...defined({ short: option.short }),
    description: option.description,
    ...defined({ value }),
    ...(option.optional && !option.required && { isOptional: true }),
    isRepeatable: isRepeatable(option),
  };
}
