import type { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { readRegularFile } from '../../files/read-regular.js';

/** The largest label file of the data sets known has some 60 MB. */
const MAX_BYTES = 512 * 2 ** 20;

export async function readDatasetFile(path: string, signal?: AbortSignal): Promise<Buffer> {
  try {
    const bytes = await readRegularFile(path, { what: 'file', maxBytes: MAX_BYTES, signal });
    if (!bytes) throw new Error('there is no such file');
    return bytes;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new FramewrightError(
      'DATASET_INVALID',
      `cannot read ${path}: ${messageOf(cause)}; check the data set folder`,
      {
        cause,
      },
    );
  }
}

/** @throws FramewrightError `DATASET_INVALID` naming the file and, where the JSON is well formed, the key. */
export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema, path: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FramewrightError('DATASET_INVALID', `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
  return checkShape(value, schema, path);
}

/** @throws FramewrightError `DATASET_INVALID` whose message says `where`, the key and what was expected there. */
export function checkShape<Schema extends z.ZodType>(value: unknown, schema: Schema, where: string): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const key = issue.path.length === 0 ? '' : `, at ${issue.path.map(String).join(' > ')}`;
  throw new FramewrightError('DATASET_INVALID', `${where}${key}: ${issue.message}`, { cause: parsed.error });
}
