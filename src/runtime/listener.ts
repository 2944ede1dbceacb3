/**
 * A listener that native code may call: its first error goes to `onError` instead of up into the event loop, and it is
 * not called again.
 */
export function guardListener<T>(listener: (value: T) => void, onError: (error: unknown) => void): (value: T) => void {
  let failed = false;
  return (value) => {
    if (failed) return;
    try {
      listener(value);
    } catch (error) {
      failed = true;
      onError(error);
    }
  };
}
