import { EXIT } from './report-error.js';
import { say } from './visible.js';

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
    if (controller.signal.aborted) endNow();
    say('framewright: stopping; once more stops at once\n');
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

/** How long what is half written may take to be taken back before the process ends all the same. */
const LAST_MOMENT_MS = 500;

export interface BatchInterrupt {
  /** Aborted when everything is to stop at once. */
  readonly signal: AbortSignal;
  /** Aborted when no further photo is to be begun. */
  readonly noMore: AbortSignal;
  /** From here on the first Ctrl-C lets the photo in hand be finished; before, it stops at once. */
  beginPhotos(): void;
  stopListening(): void;
}

/** As interruptSignal, for work on many photos: the first Ctrl-C lets the one in hand be finished, the second does not. */
export function interruptBatch(): BatchInterrupt {
  const now = new AbortController();
  const noMore = new AbortController();
  let hasPhoto = false;
  const onSignal = (): void => {
    if (now.signal.aborted) endNow();
    if (hasPhoto && !noMore.signal.aborted) {
      say('framewright: finishing the photo in hand; once more stops at once\n');
      noMore.abort(new Interrupted('interrupted'));
      return;
    }
    noMore.abort(new Interrupted('interrupted'));
    now.abort(noMore.signal.reason);
    setTimeout(endNow, LAST_MOMENT_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: now.signal,
    noMore: noMore.signal,
    beginPhotos: () => {
      hasPhoto = true;
    },
    stopListening: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      // Nobody reads on in the photo after the one in hand, but the system may.
      if (noMore.signal.aborted) setTimeout(endNow, LAST_MOMENT_MS).unref();
    },
  };
}

/**
 * Ends the process as the signal would have: a shell sees exit code 130. (process.exit waits for reads under way, and one
 * of a named pipe or a lost network disk may never return.)
 */
function endNow(): void {
  if (process.platform === 'win32') process.exit(EXIT.interrupted);
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}
