import { existsSync } from 'node:fs';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { isFolder } from './folders.js';
import { isPictureName, refuseOtherFormat } from './format-of-name.js';
import { STDOUT } from './planned-photo.js';

/** Where the files of a run go. */
export type Destination =
  | { readonly to: 'stdout' }
  /** The one file of the run has this name. */
  | { readonly to: 'file'; readonly file: string }
  | { readonly to: 'folder'; readonly folder: string }
  | { readonly to: 'beside' };

export interface DestinationOptions {
  /** File, folder or `-` for stdout; default: beside each photo, and stdout for the one on stdin. */
  readonly output?: string;
  /** Template of the files' names in their folder, as `parseName` takes it. */
  readonly name?: string;
  /** Of all files, with its dot; default: each photo's own. */
  readonly extension?: string;
}

/**
 * @param nFiles of all photos together
 * @throws FramewrightError USAGE where `output` cannot take that many, or says another format than asked for.
 */
export async function destinationOf(
  options: DestinationOptions,
  nFiles: number,
  hasStdin: boolean,
): Promise<Destination> {
  const { name, extension } = options;
  const output = options.output ?? (hasStdin ? STDOUT : undefined);
  if (output === STDOUT) {
    refuseForStdout(options, nFiles);
    return { to: 'stdout' };
  }
  if (name !== undefined) refuseOtherFormat(name, extension);
  if (output === undefined) return { to: 'beside' };
  if (await isFolder(output)) return { to: 'folder', folder: output };
  if (nFiles === 1 && name === undefined && isFileName(output)) {
    refuseOtherFormat(output, extension);
    return { to: 'file', file: output };
  }
  if (isPictureName(output)) {
    const why = nFiles > 1 ? `${nFiles} are asked for` : '--name gives it another';
    throw usage(`--output ${output} is the name of one file, and ${why}; name a folder`);
  }
  return { to: 'folder', folder: output };
}

/** What has no extension is a folder, unless it is a file that is there. */
function isFileName(output: string): boolean {
  return path.extname(output) !== '' || existsSync(output);
}

function refuseForStdout({ output, name }: DestinationOptions, nFiles: number): void {
  if (name !== undefined) {
    throw usage('what goes to stdout has no name; name a folder with --output, or leave out --name');
  }
  if (nFiles > 1) {
    const remedy = output === undefined ? 'name a folder with --output' : 'name a folder instead';
    throw usage(`stdout takes one crop of one photo, and ${nFiles} are asked for; ${remedy}`);
  }
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
