import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';

/** Of libjpeg-turbo (or IJG's libjpeg, mozjpeg): cuts and turns JPEGs without decoding them. */
const PROGRAM = 'jpegtran';

/** More than it ever says. */
const MAX_MESSAGE = 2000;

export const JPEGTRAN_REMEDY =
  'install libjpeg-turbo (Debian, Ubuntu: apt-get install libjpeg-turbo-progs; Fedora: dnf install libjpeg-turbo-utils; macOS: brew install jpeg-turbo; Windows: libjpeg-turbo.org)';

/** Where it is. Looked for on PATH by ourselves: some systems would take one that lies in the current folder. */
export function lookForJpegtran(): string | undefined {
  const names = process.platform === 'win32' ? [`${PROGRAM}.exe`] : [PROGRAM];
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isProgram);
}

/** @throws FramewrightError TOOL_NOT_FOUND, with how to get it */
export function findJpegtran(): string {
  const found = lookForJpegtran();
  if (found !== undefined) return found;
  throw new FramewrightError(
    'TOOL_NOT_FOUND',
    `--lossless needs the program ${PROGRAM}, which is not on PATH: ${JPEGTRAN_REMEDY}`,
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * What it makes of a JPEG, from memory to memory, without a shell.
 *
 * @param name the photo's, for errors
 * @throws FramewrightError INPUT_CORRUPT where it complains; the signal's reason
 */
export function jpegtran(
  jpeg: Uint8Array,
  args: readonly string[],
  { name, signal }: { readonly name: string; readonly signal?: AbortSignal | undefined },
): Promise<Buffer> {
  signal?.throwIfAborted();
  const program = findJpegtran();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', windowsHide: true, ...(signal && { signal }) });
    const made: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (piece: Buffer) => made.push(piece));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, MAX_MESSAGE)));
    child.stdin.on('error', () => undefined); // it ended before it had read all; why is in its exit code
    child.on('error', (cause) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(new FramewrightError('TOOL_NOT_FOUND', `cannot run ${program}: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      if (signal?.aborted) return;
      if (code === 0) resolve(Buffer.concat(made));
      else reject(failure(name, program, code, said));
    });
    child.stdin.end(jpeg);
  });
}

function failure(name: string, program: string, code: number | null, said: string): FramewrightError {
  const why = said.trim().split('\n')[0] ?? '';
  return new FramewrightError(
    'INPUT_CORRUPT',
    `${program} cannot cut ${name} (${why === '' ? `exit code ${String(code)}` : why}): copy it again, or crop it without --lossless`,
  );
}
