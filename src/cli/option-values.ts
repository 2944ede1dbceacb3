import type { Argument, Option } from 'commander';
import { isList } from './options.js';

/** What may stand for a value: one of some words (or several, with commas between), the name of a file or folder, or anything. */
export type ValueKind =
  | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly isList?: boolean }
  | { readonly kind: 'file' }
  | { readonly kind: 'free' };

/** Placeholders and names of arguments that mean a file or folder, as written between the brackets. */
const FILE_PLACEHOLDERS: ReadonlySet<string> = new Set([
  'file',
  'folder',
  'file|folder',
  'name|file',
  'file[:scale]',
  'name=files',
  'photo',
  'photo[,crop]',
  'photos',
  'model',
  'models',
  'mmproj',
]);

/** Of the option's value, with its placeholder; undefined for a switch. */
export function valueOfOption(option: Option): (ValueKind & { readonly name: string }) | undefined {
  const placeholder = /[<[](.+)[>\]]$/.exec(option.flags)?.[1];
  if (placeholder === undefined) return undefined;
  const kind = kindOf(placeholder, option.argChoices);
  return { ...kind, ...(kind.kind === 'choice' && isList(option) ? { isList: true } : {}), name: placeholder };
}

export function valueOfArgument(argument: Argument): ValueKind {
  return kindOf(argument.name(), argument.argChoices);
}

function kindOf(placeholder: string, choices: readonly string[] | undefined): ValueKind {
  if (choices) return { kind: 'choice', choices };
  return { kind: FILE_PLACEHOLDERS.has(placeholder) ? 'file' : 'free' };
}
