import { existsSync } from 'node:fs';
import path from 'node:path';

/** A photo as a list names it: choices, hints, a review list. */
interface Listed {
  readonly path: string;
  /** Where the run stood that wrote the line, absolute. */
  readonly folder?: string | undefined;
}

/**
 * The photo a line of a list means, by the first place it is at: below the folder that the line names, here, beside the
 * list. A line written by hand names none. A photo that is nowhere is called as it is written, for its error to say so.
 */
export function listedPath({ path: name, folder }: Listed, list: string): string {
  const isElsewhere = folder !== undefined && path.resolve(folder) !== process.cwd();
  const places = isElsewhere ? [path.resolve(folder, name)] : [];
  return [...places, name, path.join(path.dirname(list), name)].find((place) => existsSync(place)) ?? name;
}
