import type { Option } from 'commander';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { realLocation } from '../../files/file-identity.js';
import { valueOfOption } from '../option-values.js';
import type { ConfigValue } from './schema.js';

/** Long names of options whose files are only read. Any other that names a file may be one that is written. */
const READ_ONLY: readonly string[] = ['--model', '--mmproj', '--lora', '--adapters', '--hints', '--choices'];

/** What opens a server to others is for whoever starts it to say. */
const OF_THE_DOOR: readonly string[] = ['--host', '--allow-host', '--no-token', '--token-file', '--root'];

/**
 * A config file that merely lies in the folder, or in one above, may have come with the photos: it does not say what is
 * overwritten, photos least of all, has nothing written outside its own folder, and opens no server to others.
 *
 * @throws FramewrightError USAGE
 */
export function refuseFromFound(option: Option, value: ConfigValue, file: string): void {
  if (option.long === '--force' && value === true) throw refusal(file, '"force"', 'give --force itself');
  if (option.long === '--xmp' && value === 'embed') throw refusal(file, '"xmp": "embed"', 'give --xmp embed itself');
  if (OF_THE_DOOR.includes(option.long ?? '')) throw refusal(file, `"${option.name()}"`, `give ${option.long!} itself`);
  if (valueOfOption(option)?.kind !== 'file' || READ_ONLY.includes(option.long ?? '')) return;
  const folder = path.dirname(path.resolve(file));
  const top = realLocation(folder);
  for (const text of [value].flat()) {
    if (typeof text === 'boolean') continue;
    const way = path.relative(top, realLocation(path.resolve(folder, String(text))));
    if (way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way)) continue;
    throw refusal(file, `"${option.name()}": ${text} outside its own folder`, `give ${option.long!} itself`);
  }
}

function refusal(file: string, what: string, remedy: string): FramewrightError {
  const why = `${what} is not taken from a config file that was only found`;
  return new FramewrightError('USAGE', `${file}: ${why}; ${remedy}, or name the file with --config`);
}
