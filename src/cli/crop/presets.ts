import { InvalidArgumentError } from 'commander';
import { nearestWord } from '../../base/nearest.js';

/** Output sizes in pixels by where a picture goes. */
const PRESETS: Readonly<Record<string, string>> = {
  'instagram-portrait': '1080x1350',
  'instagram-square': '1080x1080',
  'instagram-landscape': '1080x566',
  story: '1080x1920',
  'youtube-thumbnail': '1280x720',
  'link-preview': '1200x630',
  'pinterest-pin': '1000x1500',
  'x-post': '1600x900',
  'hd-wallpaper': '1920x1080',
  '4k-wallpaper': '3840x2160',
};

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
