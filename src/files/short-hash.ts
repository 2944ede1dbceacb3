import { createHash } from 'node:crypto';

/** Twelve bytes that tell a value from all others, as a string: what a set of a million is kept of. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest().toString('latin1', 0, 12);
}
