import { CommanderError, type Command, type Option } from 'commander';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { readJsonFile } from '../../files/json-file.js';
import { configSchema, explainIssue, type ConfigValue } from './schema.js';
import { refuseFromFound } from './found.js';
import { DEFAULT_COMMAND } from '../command-names.js';
import { valueOfOption } from '../option-values.js';
import { isList, isRepeatable, MODEL_OPTIONS } from '../options.js';

export const CONFIG_NAME = 'framewright.config.json';

/**
 * `--config` and `--no-config`, and what makes them work: options not given are taken from the file before a command runs.
 *
 * @param whole the program with all its commands, to tell what a file may hold
 */
export function addConfigOptions(program: Command, whole: () => Promise<Command>): void {
  program
    .option('--config <file>', `options to start from (default: ${CONFIG_NAME} here or in a folder above)`)
    .option('--no-config', 'look for no such file')
    .hook('preAction', async (_program, command) => {
      // It takes no options, and a shell that starts in a folder with a broken file is to start all the same.
      if (command.name() === 'completion') return;
      const { config } = program.opts<{ config?: string | false }>();
      if (config === false) return;
      const found = config ?? findConfig(process.cwd());
      if (found === undefined) return;
      // Where a library does not load, doctor is to say so all the same.
      const known = await (command.name() === 'doctor' ? whole().catch(() => undefined) : whole());
      if (known) await applyConfig(program, command, known, { file: found, isFound: config === undefined });
    });
}

/** The nearest config file of a folder and those above it. */
export function findConfig(folder: string): string | undefined {
  const file = path.join(folder, CONFIG_NAME);
  if (existsSync(file)) return file;
  const parent = path.dirname(folder);
  return parent === folder ? undefined : findConfig(parent);
}

interface ConfigFile {
  readonly file: string;
  /** Nobody has named it. */
  readonly isFound: boolean;
}

async function applyConfig(
  program: Command,
  command: Command,
  whole: Command,
  { file, isFound }: ConfigFile,
): Promise<void> {
  const config = checked(whole, await readConfig(file), file);
  const top = Object.entries(config).filter(
    ([name]) => command.name() === DEFAULT_COMMAND || MODEL_OPTIONS.includes(name),
  );
  const own = config[topLevelName(program, command)];
  for (const [name, value] of [...top, ...(isSection(own) ? Object.entries(own) : [])]) {
    const options = command.options.filter((option) => keyOf(option) === name);
    const [option] = options;
    if (!option || isSection(value)) continue;
    // The command line wins; lists are not joined with its own.
    if (command.getOptionValueSource(option.attributeName()) === 'cli') continue;
    if (isFound) refuseFromFound(option, value, file);
    command.setOptionValueWithSource(option.attributeName(), parsedValue(option, value, file), 'config');
  }
}

async function readConfig(file: string): Promise<unknown> {
  try {
    return await readJsonFile(file, 'config file');
  } catch (error) {
    if (error instanceof FramewrightError && error.code !== 'INPUT_NOT_FOUND') throw error;
    const what = error instanceof SyntaxError ? 'is no JSON' : 'cannot be read';
    throw new FramewrightError('USAGE', `the config file ${file} ${what}: ${messageOf(error)}`, { cause: error });
  }
}

type Config = Record<string, ConfigValue | Record<string, ConfigValue>>;

/** @throws FramewrightError USAGE naming the first thing that is wrong, for a typo with what was meant. */
function checked(whole: Command, config: unknown, file: string): Config {
  const schema = configSchema(whole, DEFAULT_COMMAND);
  const result = schema.safeParse(config);
  if (result.success) return result.data as Config;
  throw new FramewrightError('USAGE', `${file}: ${explainIssue(result.error.issues[0]!, schema)}`);
}

function isSection(value: unknown): value is Record<string, ConfigValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `gguf` for `gguf toy`. */
function topLevelName(program: Command, command: Command): string {
  return command.parent && command.parent !== program ? topLevelName(program, command.parent) : command.name();
}

/** `min-size` for `--min-size`, `journal` for `--no-journal` too. */
export function keyOf(option: Option): string {
  return option.name().replace(/^no-/, '');
}

/** As if the value had been given on the command line, with file names relative to the config file. */
function parsedValue(option: Option, value: ConfigValue, file: string): unknown {
  if (typeof value === 'boolean') return value;
  const parts = (Array.isArray(value) ? value : [value]).map((part) => resolved(option, String(part), file));
  const texts = isList(option) ? [parts.join(',')] : parts;
  try {
    return texts.reduce<unknown>(
      (before, text) => (option.parseArg ? option.parseArg(text, before) : text),
      isRepeatable(option) ? [] : undefined,
    );
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new FramewrightError('USAGE', `${file}: "${keyOf(option)}" cannot be ${texts.join(', ')}: ${error.message}`, {
      cause: error,
    });
  }
}

function resolved(option: Option, text: string, file: string): string {
  if (valueOfOption(option)?.kind !== 'file') return text;
  // A model may also be a name.
  if (option.long === '--model' && !/[/\\]|\.gguf$/i.test(text)) return text;
  const absolute = path.resolve(path.dirname(file), text);
  const relative = path.relative(process.cwd(), absolute);
  // A separator at the end says that a folder is meant.
  return (relative === '' ? '.' : relative) + (/[/\\]$/.test(text) ? path.sep : '');
}
