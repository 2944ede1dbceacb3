import { EXIT } from './report-error.js';

/** The reason a run ends with when the user presses Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * A signal that aborts on the first SIGINT or SIGTERM, so that what is half done is taken back; a second one ends the
 * process at once.
 */
export function interruptSignal(): { signal: AbortSignal; stopListening: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('framewright: stopping; once more stops at once\n');
    controller.abort(new Interrupted('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    stopListening: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
