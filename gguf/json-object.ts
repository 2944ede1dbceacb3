import { GgufError } from './errors.js';
import { namingFile, openRegularFile } from './open-file.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A JSON file that holds an object.
 *
 * @throws GgufError `MALFORMED`, also for more than `maxBytes`; `IO`
 */
export async function readJsonObject(path: string, maxBytes: number): Promise<JsonObject> {
  let parsed: unknown;
  try {
    const { file, fileBytes } = await openRegularFile(path);
    try {
      if (fileBytes > maxBytes) throw new GgufError('MALFORMED', `it has ${fileBytes} bytes, more than any such file`);
      parsed = JSON.parse(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new GgufError('MALFORMED', `${path} is no JSON: ${error.message}`);
    throw namingFile(path, error);
  }
  if (isObject(parsed)) return parsed;
  throw new GgufError('MALFORMED', `${path} holds no object`);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
