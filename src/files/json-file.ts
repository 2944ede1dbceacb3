import { FramewrightError } from '../base/errors.js';
import { readRegularFile } from './read-regular.js';

/** What a person or a program writes about photos or models has some kilobytes. */
const MAX_BYTES = 16 * 2 ** 20;

/**
 * The value of a JSON file, which may be anybody's.
 *
 * @param what the file is to its reader, for errors: `config file`
 * @throws SyntaxError for what is no JSON; FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_TOO_LARGE
 */
export async function readJsonFile(file: string, what: string): Promise<unknown> {
  return JSON.parse(await readTextFile(file, what, MAX_BYTES));
}

/** @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_TOO_LARGE */
export async function readTextFile(file: string, what: string, maxBytes: number): Promise<string> {
  const bytes = await readRegularFile(file, { what, maxBytes });
  if (bytes) return bytes.toString('utf8');
  throw new FramewrightError('INPUT_NOT_FOUND', `the ${what} ${file} does not exist: check the path`);
}
