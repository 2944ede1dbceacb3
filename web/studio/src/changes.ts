// Changes reach the server in the order in which they were made, whatever the network does.

let last: Promise<unknown> = Promise.resolve();
let waiting: { readonly timer: ReturnType<typeof setTimeout>; readonly change: () => void } | undefined;

/** Sends a change once all before it are answered, those that still wait for further keys too. */
export function inOrder<T>(change: () => Promise<T>): Promise<T> {
  sendWaiting();
  const sent = last.then(change);
  last = sent.catch(() => undefined);
  return sent;
}

/** Makes a change unless another takes its place within the time: keys that follow each other are one change. */
export function soon(change: () => void, ms: number): void {
  if (waiting) clearTimeout(waiting.timer);
  waiting = { timer: setTimeout(sendWaiting, ms), change };
}

function sendWaiting(): void {
  if (!waiting) return;
  const { timer, change } = waiting;
  clearTimeout(timer);
  waiting = undefined;
  change();
}

// Whoever closes the page right after a key keeps what the key did.
addEventListener('pagehide', sendWaiting);
