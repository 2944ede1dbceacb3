import { BEAT_MS, type RunStore } from './run-store.js';

/** Has the server know that somebody is at putting photos of a run in, until it is disposed. */
export function submitterBeat(store: RunStore, run: string): Disposable {
  // A server that is away is waited for by what is put in.
  const timer = setInterval(() => void store.noteSubmitter(run).catch(() => undefined), BEAT_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
