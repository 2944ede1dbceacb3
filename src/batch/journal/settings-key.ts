import { createHash } from 'node:crypto';

/** One word for everything that decides a photo's files, apart from the photo. */
export function keyOfSettings(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}
