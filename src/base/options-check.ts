import { FramewrightError } from './errors.js';
import { nearestWord } from './nearest.js';

/** What an option may be: by type, or one of some words. Its range is for whoever uses it to check. */
export type OptionKind =
  'any' | 'text' | 'number' | 'boolean' | 'object' | 'list' | 'function' | 'signal' | readonly string[];

/** Every option of an interface with its kind; the compiler sees to it that none is missing. */
export type OptionKinds<T> = Readonly<Record<keyof T, OptionKind>>;

/**
 * Refuses options that would be passed over in silence, or end as an error of something else: names there are none of, and
 * values of another type. `undefined` counts as not given.
 *
 * @param of what takes the options, as errors call it: `crop`
 * @throws FramewrightError USAGE, for a misspelt name with what was meant
 */
export function checkOptions<T>(of: string, options: unknown, kinds: OptionKinds<T>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw usage(`Expected the options of ${of} to be an object but received ${received(options)}`);
  }
  const known = Object.keys(kinds);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name)) {
      const near = nearestWord(name, known);
      const meant = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
      throw usage(`${of} has no option "${name}"; ${meant}`);
    }
    if (value !== undefined) checkValue(name, value, (kinds as Readonly<Record<string, OptionKind>>)[name]!);
  }
}

function checkValue(name: string, value: unknown, kind: OptionKind): void {
  if (typeof kind !== 'string') {
    checkWord(name, value, kind);
    return;
  }
  const { isMet, noun } = KINDS[kind];
  if (!isMet(value)) throw usage(`Expected ${name} to be ${noun} but received ${received(value)}`);
}

function checkWord(name: string, value: unknown, words: readonly string[]): void {
  if (words.some((word) => word === value)) return;
  const near = typeof value === 'string' ? nearestWord(value, words) : undefined;
  const meant = near === undefined ? '' : `; did you mean "${near}"?`;
  throw usage(`Expected ${name} to be one of ${words.join(', ')} but received ${received(value)}${meant}`);
}

interface KindCheck {
  readonly isMet: (value: unknown) => boolean;
  readonly noun: string;
}

const KINDS: Readonly<Record<Exclude<OptionKind, readonly string[]>, KindCheck>> = {
  any: { isMet: () => true, noun: 'anything' },
  text: { isMet: (value) => typeof value === 'string', noun: 'text' },
  number: { isMet: (value) => typeof value === 'number' && !Number.isNaN(value), noun: 'a number' },
  boolean: { isMet: (value) => typeof value === 'boolean', noun: 'true or false' },
  object: { isMet: (value) => typeof value === 'object' && value !== null, noun: 'an object' },
  list: { isMet: Array.isArray, noun: 'a list' },
  function: { isMet: (value) => typeof value === 'function', noun: 'a function' },
  // Not instanceof: one of another realm or a polyfill is as good.
  signal: {
    isMet: (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
    noun: 'an AbortSignal',
  },
};

/** @throws FramewrightError USAGE */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw usage(`Expected ${name} to be a whole number from ${least} to ${most} but received ${received(value)}`);
}

/** A value as an error names it: short, whatever it is. */
export function received(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value !== 'object') return typeof value;
  const name = (value.constructor as { readonly name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name !== 'Object' && name !== '' ? name : 'an object';
}

const MOST_SHOWN = 100;

/** Text of others in an error: a data: URL is as long as its picture. */
export function shortened(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}... (${text.length} characters)`;
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
