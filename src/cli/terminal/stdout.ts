import { FramewrightError, messageOf } from '../../base/errors.js';
import { errorLine, EXIT } from './report-error.js';
import { say } from './visible.js';

/**
 * From here on the process ends when stdout takes no more: well where its reader has seen enough (`framewright --json |
 * head`), as a failure where the disk behind it is full. Nobody reading stderr is no reason to end.
 */
export function endWithStdout(): void {
  process.stdout.on('error', end);
  process.stderr.on('error', () => undefined);
}

/** For commands that are run for their files: these are made whether or not anybody reads which they are. */
export function goOnWithoutStdout(): void {
  let isTold = false;
  process.stdout.off('error', end).on('error', (error: Error) => {
    if (isTold || isClosed(error)) return;
    isTold = true;
    tell(error);
    process.exitCode = EXIT.failure;
  });
}

/** Writes the bytes of a crop; what becomes of an error is for the listeners above. */
export function writeToStdout(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(bytes, () => resolve());
  });
}

function end(error: Error): void {
  if (!isClosed(error)) tell(error);
  process.exit(isClosed(error) ? EXIT.ok : EXIT.failure);
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE';
}

function tell(cause: Error): void {
  const what = `cannot write to stdout: ${messageOf(cause)}; send it to a place that takes it`;
  say(`${errorLine(new FramewrightError('OUTPUT_WRITE', what, { cause }))}\n`);
}
