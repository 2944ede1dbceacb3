import { FramewrightError } from '../../src/base/errors.js';

/** The FramewrightError a promise rejects with; anything else fails the test. */
export async function rejection(work: Promise<unknown>): Promise<FramewrightError> {
  const thrown: unknown = await work.then(
    () => new Error('expected a rejection, but it resolved'),
    (reason: unknown) => reason,
  );
  if (thrown instanceof FramewrightError) return thrown;
  throw thrown;
}

/** The FramewrightError a function throws; anything else fails the test. */
export function thrownBy(work: () => unknown): FramewrightError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof FramewrightError) return thrown;
    throw thrown;
  }
  throw new Error('expected a throw, but it returned');
}
