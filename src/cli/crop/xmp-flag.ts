import type { Command } from 'commander';
import { XMP_WAYS } from '../../batch/options.js';

/**
 * `--xmp photo.jpg` names a photo, and `--xmp embed` says where. commander would take whatever follows an option whose
 * value may be left out for that value, so it is told the value that is meant before it looks.
 */
export function readXmpFlag(command: Command): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => parse(withXmpValue(words));
}

/** Behind `--` nothing is an option. */
export function withXmpValue(words: readonly string[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  return words.flatMap((word, i) => {
    const isBare = word === '--xmp' && i < end && !XMP_WAYS.some((way) => way === words[i + 1]);
    return isBare ? [`--xmp=${XMP_WAYS[0]}`] : [word];
  });
}
