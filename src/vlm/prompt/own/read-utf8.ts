import { readRegularFile } from '../../../files/read-regular.js';
import { invalid } from './errors.js';

/**
 * The text of a file anybody may have put there; undefined where nothing is.
 *
 * @throws FramewrightError MODEL_INVALID for what is not UTF-8; as readRegularFile
 */
export async function readUtf8(file: string, what: string, maxBytes: number): Promise<string | undefined> {
  const bytes = await readRegularFile(file, { what, maxBytes });
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`the ${what} ${file} is not UTF-8`, error);
  }
}
