import { stat } from 'node:fs/promises';

/** A file as it was when it was looked at. */
interface Seen {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Which files have come, whole: a file that is still being copied grows, so that only one that two looks in a row have
 * found the same is taken, and one that has changed since it was taken comes again.
 */
export class Arrivals {
  #before = new Map<string, Seen>();
  readonly #taken = new Map<string, Seen>();

  /** The files among these that are whole and have not been taken as they are. */
  async look(files: readonly string[]): Promise<string[]> {
    const now = new Map<string, Seen>();
    const whole: string[] = [];
    for (const file of files) {
      const found = await stat(file).catch(() => undefined);
      if (!found?.isFile()) continue;
      const seen = { size: found.size, mtimeMs: found.mtimeMs };
      now.set(file, seen);
      if (isSame(this.#before.get(file), seen) && !isSame(this.#taken.get(file), seen)) whole.push(file);
    }
    this.#before = now;
    // What has gone may come again.
    for (const file of this.#taken.keys()) if (!now.has(file)) this.#taken.delete(file);
    return whole;
  }

  /** They are dealt with, as they were when they were last looked at. */
  take(files: readonly string[]): void {
    for (const file of files) {
      const seen = this.#before.get(file);
      if (seen) this.#taken.set(file, seen);
    }
  }
}

function isSame(before: Seen | undefined, now: Seen): boolean {
  return before?.size === now.size && before.mtimeMs === now.mtimeMs;
}
