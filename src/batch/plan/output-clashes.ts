import { FramewrightError } from '../../base/errors.js';
import { fileIdentities } from '../../files/file-identity.js';
import { STDIN } from '../inputs.js';
import { filesOf, STDOUT, type PlannedPhoto } from './planned-photo.js';

/** @throws FramewrightError USAGE where two outputs are one file, or one is a photo. */
export async function refuseClashes(planned: readonly PlannedPhoto[], isNamed: boolean): Promise<void> {
  const owners = new Map<string, string>();
  const inputs = planned.map(({ input }) => input).filter((input) => input !== STDIN);
  const files = planned.flatMap((photo) => filesOf(photo).map((file) => ({ input: photo.input, file })));
  const identities = await fileIdentities([...files.map(({ file }) => file), ...inputs]);
  const originals = new Set(identities.slice(files.length));
  for (const [i, { input, file }] of files.entries()) {
    if (file === STDOUT) continue;
    const identity = identities[i]!;
    const owner = owners.get(identity);
    if (owner !== undefined) {
      throw new FramewrightError(
        'USAGE',
        owner === input
          ? `two crops of ${input} would both be written to ${file}; tell them apart with {aspect} and {rank} in --name`
          : `${owner} and ${input} would both be written to ${file}; ${isNamed ? 'tell them apart with {name} or {index} in --name' : 'give them folders of their own with --output'}`,
      );
    }
    if (originals.has(identity)) {
      throw new FramewrightError('USAGE', `${file} is one of the photos itself; name another file with --output`);
    }
    owners.set(identity, input);
  }
}
