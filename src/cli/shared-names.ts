import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../errors.js';
import { STDIN } from './inputs.js';
import { filesOf, STDOUT, type PlannedPhoto } from './output-plan.js';

/** A file an option names. */
export interface NamedFile {
  readonly path: string;
  /** `--report` */
  readonly option: string;
}

/** Of these files, those that an option names. */
export function namedFiles(files: readonly (readonly [option: string, path: string | undefined])[]): NamedFile[] {
  return files.flatMap(([option, file]) => (file === undefined ? [] : [{ option, path: file }]));
}

/**
 * What a run writes about itself is never written over a photo, over what is made of one, over a list it reads, or over
 * one another: not even with --force.
 *
 * @throws FramewrightError USAGE
 */
export async function refuseSharedNames(
  written: readonly NamedFile[],
  plan: readonly PlannedPhoto[],
  read: readonly NamedFile[],
): Promise<void> {
  if (written.length === 0) return;
  const owners = new Map<string, string>();
  for (const { option, path: file } of read) owners.set(path.resolve(file), `what ${option} reads`);
  for (const photo of plan) {
    const made = photo.sidecar === undefined ? filesOf(photo) : [...filesOf(photo), photo.sidecar];
    for (const file of made) if (file !== STDOUT) owners.set(path.resolve(file), `what ${photo.input} gives`);
  }
  for (const { input } of plan) if (input !== STDIN) owners.set(path.resolve(input), 'one of the photos itself');
  for (const { option, path: file } of written) {
    const owner = owners.get(path.resolve(file)) ?? (await sameFile(file, owners));
    if (owner !== undefined) {
      throw new FramewrightError('USAGE', `${file} (${option}) is ${owner}; name another file with ${option}`);
    }
    owners.set(path.resolve(file), `also what ${option} writes`);
  }
}

/** A link, or on some systems another case of letters, is another name of the same file. */
async function sameFile(file: string, owners: ReadonlyMap<string, string>): Promise<string | undefined> {
  const identity = await identityOf(file);
  if (identity === undefined) return undefined;
  const found = await Promise.all(
    [...owners].map(async ([owned, owner]) => ((await identityOf(owned)) === identity ? owner : undefined)),
  );
  return found.find((owner) => owner !== undefined);
}

/** Undefined where there is no such file yet. */
function identityOf(file: string): Promise<string | undefined> {
  return stat(file, { bigint: true }).then(
    ({ dev, ino }) => `${dev} ${ino}`,
    () => undefined,
  );
}
