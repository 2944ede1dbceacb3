/** Does something with each of many things, some at once; the first error is thrown when those under way have ended. */
export async function inTurns<T>(
  things: readonly T[],
  nAtOnce: number,
  act: (thing: T) => Promise<void>,
): Promise<void> {
  const queue = [...things].reverse();
  let failed: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (let thing = queue.pop(); thing !== undefined && !failed; thing = queue.pop()) {
      await act(thing).catch((error: unknown) => {
        failed ??= { error };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(nAtOnce, things.length) }, work));
  if (failed) throw failed.error;
}
