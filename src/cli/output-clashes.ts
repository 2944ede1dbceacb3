import { FramewrightError } from '../errors.js';
import { fileIdentity } from './file-identity.js';
import { STDIN } from './inputs.js';
import { filesOf, STDOUT, type PlannedPhoto } from './planned-photo.js';

/** @throws FramewrightError USAGE where two outputs are one file, or one is a photo. */
export async function refuseClashes(planned: readonly PlannedPhoto[], isNamed: boolean): Promise<void> {
  const owners = new Map<string, string>();
  const inputs = planned.map(({ input }) => input).filter((input) => input !== STDIN);
  const originals = new Set(await Promise.all(inputs.map(fileIdentity)));
  const files = planned.flatMap((photo) => filesOf(photo).map((file) => ({ input: photo.input, file })));
  const identities = await Promise.all(files.map(({ file }) => fileIdentity(file)));
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

/** @throws FramewrightError USAGE where the file an option names is a photo or the place of a crop. */
export async function refuseTaken(
  option: string,
  file: string | undefined,
  planned: readonly PlannedPhoto[],
): Promise<void> {
  if (file === undefined) return;
  const identity = await fileIdentity(file);
  const isAmong = async (files: readonly string[]): Promise<boolean> =>
    (await Promise.all(files.map(fileIdentity))).includes(identity);
  const refuse = (what: string): FramewrightError =>
    new FramewrightError('USAGE', `${option} ${file} is ${what}; name another file`);
  if (await isAmong(planned.map(({ input }) => input))) throw refuse('one of the photos itself');
  if (await isAmong(planned.flatMap(filesOf))) throw refuse('also the place of a crop');
}
