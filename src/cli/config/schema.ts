import type { Command, Option } from 'commander';
import { z } from 'zod';
import { nearestWord } from '../../base/nearest.js';
import { isList, isRepeatable } from '../options.js';

/** A value of an option as JSON has it. */
export type ConfigValue = string | number | boolean | readonly (string | number)[];

const text = z.union([z.string().refine((value) => !value.includes('\0'), 'text has no NUL'), z.number()], {
  error: 'expected text or a number',
});

/**
 * What a config file may hold: the default command's options by their long names, and a section for each command, made
 * from commander's definitions. Values are checked further by the options' own parsers. `model` is the option: the command
 * of that name has no section.
 */
export function configSchema(program: Command, defaultCommand: string): z.ZodObject {
  const main = program.commands.find((command) => command.name() === defaultCommand)!;
  const options = shapeOf(main);
  const sections = program.commands
    .filter((command) => command !== main && !(command.name() in options))
    .map(
      (command) =>
        [command.name(), z.strictObject(shapeOf(command)).optional().describe(command.description())] as const,
    );
  return z
    .strictObject({
      $schema: z.string().optional().describe('For editors; not read'),
      ...options,
      ...Object.fromEntries(sections),
    })
    .describe(`Options of framewright ${defaultCommand} by their long names, and a section for each other command`);
}

/** One line: where, and what is wrong there. */
export function explainIssue(issue: z.core.$ZodIssue, schema: z.ZodObject): string {
  const where = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return where === '' ? issue.message : `"${where}": ${issue.message}`;
  const [typo] = issue.keys as [string];
  const known = knownKeys(schema, issue.path.map(String));
  const meant = nearestWord(typo, known);
  const name = where === '' ? typo : `${where}.${typo}`;
  return `"${name}" is no option${meant === undefined ? `; there are ${known.join(', ')}` : `; did you mean "${meant}"?`}`;
}

function knownKeys(schema: z.ZodObject, section: readonly string[]): string[] {
  const inner = section.length > 0 ? (schema.shape[section[0]!] as z.ZodOptional<z.ZodObject>).unwrap() : schema;
  return Object.keys(inner.shape).filter((key) => key !== '$schema');
}

/** A command inside another has the section of the outer one. */
function shapeOf(command: Command): Record<string, z.ZodType> {
  const shapes = [command, ...command.commands].flatMap(({ options }) => options);
  const keys = new Map<string, Option[]>();
  for (const option of shapes) {
    if (option.hidden) continue;
    const key = option.name().replace(/^no-/, '');
    keys.set(key, [...(keys.get(key) ?? []), option]);
  }
  return Object.fromEntries([...keys].map(([key, options]) => [key, described(options)]));
}

function described(options: readonly Option[]): z.ZodType {
  return valueOf(options)
    .optional()
    .describe(options.map(({ flags, description }) => `${flags}: ${description}`).join('\n'));
}

/** `a`, or `a,b`; the names are plain words. */
function listOf(choices: readonly string[]): z.ZodType {
  const one = `(?:${choices.join('|')})`;
  return z.string().regex(new RegExp(`^${one}(?:,${one})*$`), `expected one or several of ${choices.join(', ')}`);
}

/** Of one option, or of a pair `--x <value>` and `--no-x`. */
function valueOf(options: readonly Option[]): z.ZodType {
  const kinds = options.map((option): z.ZodType => {
    if (option.negate && options.length > 1) return z.literal(false);
    if (option.negate || option.isBoolean()) return z.boolean({ error: 'expected true or false' });
    const one = option.argChoices ? z.enum(option.argChoices as [string, ...string[]]) : text;
    const value = isList(option) ? listOf(option.argChoices ?? []) : one;
    // `<file[:scale]>` has brackets too, and its value may not be left out.
    if (option.optional && !option.required)
      return z.union([z.boolean(), value], { error: 'expected true, false or a value' });
    return isRepeatable(option) || isList(option)
      ? z.union([value, z.array(one)], { error: 'expected a value or a list of values' })
      : value;
  });
  return kinds.length === 1 ? kinds[0]! : z.union(kinds, { error: 'expected a value or false' });
}
