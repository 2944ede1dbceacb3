import { InvalidArgumentError } from 'commander';
import { nearestWord } from '../../base/nearest.js';
import { PRESETS } from '../../crop/presets.js';

export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

/** The size that a preset stands for. */
export function parsePreset(name: string): string {
  const size = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (size !== undefined) return size;
  const meant = nearestWord(name, PRESET_NAMES);
  throw new InvalidArgumentError(
    meant === undefined ? `There are ${PRESET_NAMES.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

/** A line each for the help. */
export const PRESETS_HELP = `
Presets:
${Object.entries(PRESETS)
  .map(([name, size]) => `  ${name.padEnd(20)} ${size}`)
  .join('\n')}`;
