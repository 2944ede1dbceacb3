/** A listener whose first error is remembered instead of thrown into native code, and ends what it listens to. */
export interface GuardedListener<T> {
  readonly call: (value: T) => void;
  /** The caller's signal, and the listener's own failure; undefined if there is neither. */
  readonly signal: AbortSignal | undefined;
}

export function guardListener<T>(
  listener: ((value: T) => void) | undefined,
  signal: AbortSignal | undefined,
): GuardedListener<T> {
  if (!listener) return { call: () => undefined, signal };
  const failure = new AbortController();
  return {
    signal: signal ? AbortSignal.any([signal, failure.signal]) : failure.signal,
    call: (value) => {
      if (failure.signal.aborted || signal?.aborted) return;
      try {
        listener(value);
      } catch (error) {
        failure.abort(error);
      }
    },
  };
}
