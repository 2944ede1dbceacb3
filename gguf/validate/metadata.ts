import type { GgufValueType } from '../types.js';
import type { GgufMetadata, GgufNumberArray, GgufValue } from '../values.js';
import { quote, type Check } from './problem.js';

interface Range {
  readonly min: number;
  readonly max: number;
}

/** How a value's type is written in messages: `uint32`, `array of string`. */
function typeText(entry: GgufValue): string {
  return entry.type === 'array' ? `array of ${entry.itemType}` : entry.type;
}

/** A uint32 in a range, both ends included. llama.cpp's clip.cpp aborts on another type, so the type counts too. */
export function* requireU32(metadata: GgufMetadata, key: string, range: Range): Check<number | undefined> {
  const required = `must be a uint32 from ${range.min} to ${range.max}`;
  const entry = metadata.get(key);
  if (!entry) {
    yield { where: key, found: 'missing', required };
  } else if (entry.type !== 'uint32') {
    yield { where: key, found: typeText(entry), required };
  } else if (entry.value < range.min || entry.value > range.max) {
    yield { where: key, found: quote(entry.value), required };
  } else {
    return entry.value;
  }
  return undefined;
}

/** The same where the key may be left out. */
export function* optionalU32(metadata: GgufMetadata, key: string, range: Range): Check<number | undefined> {
  return metadata.has(key) ? yield* requireU32(metadata, key, range) : undefined;
}

/** A finite float32 in a range, both ends included. */
export function* requireF32(metadata: GgufMetadata, key: string, range: Range): Check {
  const required = `must be a float32 from ${range.min} to ${range.max}`;
  const entry = metadata.get(key);
  if (!entry) yield { where: key, found: 'missing', required };
  else if (entry.type !== 'float32') yield { where: key, found: typeText(entry), required };
  else if (!(entry.value >= Math.fround(range.min) && entry.value <= Math.fround(range.max))) {
    yield { where: key, found: quote(entry.value), required };
  }
}

export function* optionalF32(metadata: GgufMetadata, key: string, range: Range): Check {
  if (metadata.has(key)) yield* requireF32(metadata, key, range);
}

/** A string out of some. */
export function* requireString(metadata: GgufMetadata, key: string, allowed: readonly string[]): Check {
  const required = `must be the string ${allowed.map(quote).join(' or ')}`;
  const entry = metadata.get(key);
  if (!entry) yield { where: key, found: 'missing', required };
  else if (entry.type !== 'string') yield { where: key, found: typeText(entry), required };
  else if (!allowed.includes(entry.value)) yield { where: key, found: quote(entry.value), required };
}

/** A bool of one value. With `optional`, the key may be left out. */
export function* requireBool(metadata: GgufMetadata, key: string, value: boolean, optional?: 'optional'): Check {
  const required = `must be the bool ${String(value)}`;
  const entry = metadata.get(key);
  if (!entry) {
    if (!optional) yield { where: key, found: 'missing', required };
  } else if (entry.type !== 'bool') yield { where: key, found: typeText(entry), required };
  else if (entry.value !== value) yield { where: key, found: quote(entry.value), required };
}

/** An array of one of the item types, with `length` items where that is given. */
export function* requireNumbers(
  metadata: GgufMetadata,
  key: string,
  itemTypes: readonly ('int32' | 'uint32' | 'float32')[],
  length?: number,
): Check<readonly number[] | undefined> {
  const required = `must be an array of ${length === undefined ? '' : `${length} `}${itemTypes.join(' or ')}`;
  const entry = metadata.get(key);
  if (!entry) {
    yield { where: key, found: 'missing', required };
  } else if (entry.type === 'array' && (itemTypes as readonly string[]).includes(entry.itemType)) {
    const value = Array.from(entry.value as GgufNumberArray);
    if (length === undefined || value.length === length) return value;
    yield { where: key, found: `${value.length} items`, required };
  } else {
    yield { where: key, found: typeText(entry), required };
  }
  return undefined;
}

export function* requireStrings(metadata: GgufMetadata, key: string): Check<readonly string[] | undefined> {
  const required = 'must be an array of string';
  const entry = metadata.get(key);
  if (!entry) yield { where: key, found: 'missing', required };
  else if (entry.type === 'array' && entry.itemType === 'string') return entry.value;
  else yield { where: key, found: typeText(entry), required };
  return undefined;
}

/** Keys that may be left out but are read with one type where they are there. */
export function* requireTypes(metadata: GgufMetadata, types: Readonly<Record<string, GgufValueType>>): Check {
  for (const [key, type] of Object.entries(types)) {
    const entry = metadata.get(key);
    if (entry && entry.type !== type) yield { where: key, found: typeText(entry), required: `must be a ${type}` };
  }
}

/** Keys that make llama.cpp compute something else than the family's model; `harmless` values may stand there. */
export function* refuseKeys(
  metadata: GgufMetadata,
  title: string,
  keys: readonly (readonly [string, (value: unknown) => boolean])[],
): Check {
  for (const [key, harmless] of keys) {
    const entry = metadata.get(key);
    if (entry && !harmless(entry.value)) {
      yield { where: key, found: quote(entry.value), required: `must be left out: this is no plain ${title}` };
    }
  }
}
