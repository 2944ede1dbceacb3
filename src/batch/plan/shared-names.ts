import { FramewrightError } from '../../base/errors.js';
import { fileIdentities } from '../../files/file-identity.js';
import { STDIN } from '../inputs.js';
import { filesOf, STDOUT, type PlannedPhoto } from './planned-photo.js';

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
  const owned = [
    ...read.map(({ option, path: file }) => ({ file, owner: `what ${option} reads` })),
    ...plan.flatMap((photo) => {
      const made = photo.sidecar === undefined ? filesOf(photo) : [...filesOf(photo), photo.sidecar];
      return made.filter((file) => file !== STDOUT).map((file) => ({ file, owner: `what ${photo.input} gives` }));
    }),
    ...plan
      .filter(({ input }) => input !== STDIN)
      .map(({ input }) => ({ file: input, owner: 'one of the photos itself' })),
  ];
  const identities = await fileIdentities([...written.map(({ path: file }) => file), ...owned.map(({ file }) => file)]);
  const owners = new Map(owned.map(({ owner }, i) => [identities[written.length + i]!, owner]));
  for (const [i, { option, path: file }] of written.entries()) {
    const owner = owners.get(identities[i]!);
    if (owner !== undefined) {
      throw new FramewrightError('USAGE', `${file} (${option}) is ${owner}; name another file with ${option}`);
    }
    owners.set(identities[i]!, `also what ${option} writes`);
  }
}
