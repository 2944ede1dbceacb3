import { FramewrightError } from './errors.js';
import { nearestWord } from './nearest.js';
import { received } from './options-check.js';
import { ENGINES, isOneOf, type EngineName } from './schema.js';

/** They go by the photo's size alone, have a crop for every photo, and are sure of it. */
const ALWAYS_SURE: readonly EngineName[] = ['centre', 'full'];

/**
 * The engines that are asked in turn, checked.
 *
 * @throws FramewrightError USAGE for an unknown name (with what was meant), one given twice, and one that would never be asked
 */
export function engineChain(asked: EngineName | readonly string[]): readonly [EngineName, ...EngineName[]] {
  const [first, ...others] = [asked].flat().map(engineName);
  if (first === undefined) throw usage(`no engine is named; there are ${ENGINES.join(', ')}`);
  const names = [first, ...others] as const;
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw usage(`the engine ${twice} is named twice; it says of a photo what it has said before`);
  const last = names.findIndex((name) => ALWAYS_SURE.includes(name));
  if (last >= 0 && last < names.length - 1) {
    const idle = names.slice(last + 1).join(', ');
    throw usage(
      `the engine ${names[last]} has a crop for every photo, and ${idle} is never asked; name ${names[last]} last`,
    );
  }
  return names;
}

function engineName(name: unknown): EngineName {
  if (typeof name === 'string' && isOneOf(ENGINES, name)) return name;
  const near = typeof name === 'string' ? nearestWord(name, ENGINES) : undefined;
  const meant = near === undefined ? '' : `; did you mean "${near}"?`;
  throw usage(`Expected engine to be one of ${ENGINES.join(', ')} but received ${received(name)}${meant}`);
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
