import { FramewrightError } from '../errors.js';
import { fileIdentity } from './file-identity.js';
import { STDIN } from './inputs.js';
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
  const owners = new Map<string, string>();
  const own = async (file: string, owner: string): Promise<void> => void owners.set(await fileIdentity(file), owner);
  for (const { option, path: file } of read) await own(file, `what ${option} reads`);
  for (const photo of plan) {
    const made = photo.sidecar === undefined ? filesOf(photo) : [...filesOf(photo), photo.sidecar];
    for (const file of made) if (file !== STDOUT) await own(file, `what ${photo.input} gives`);
  }
  for (const { input } of plan) if (input !== STDIN) await own(input, 'one of the photos itself');
  for (const { option, path: file } of written) {
    const owner = owners.get(await fileIdentity(file));
    if (owner !== undefined) {
      throw new FramewrightError('USAGE', `${file} (${option}) is ${owner}; name another file with ${option}`);
    }
    await own(file, `also what ${option} writes`);
  }
}
