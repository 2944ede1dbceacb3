import { existsSync } from 'node:fs';
import { FramewrightError } from '../../base/errors.js';
import { nearestWord } from '../../base/nearest.js';

/**
 * The first word that is no command is taken for a photo: where there is no such file, and it is nearly a command, that is
 * what was meant.
 *
 * @throws FramewrightError USAGE
 */
export function refuseMistypedCommand([first]: readonly string[], commands: readonly string[]): void {
  if (first === undefined || !/^[a-z]+$/i.test(first) || existsSync(first)) return;
  const meant = nearestWord(first, commands);
  const why = `there is no command and no file called ${first}`;
  throw new FramewrightError(
    'USAGE',
    meant === undefined
      ? `${why}; framewright --help lists the commands`
      : `${why}; did you mean "framewright ${meant}"?`,
  );
}
