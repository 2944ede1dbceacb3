import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const HEARTBEAT_MS = 2000;
/** A lock nobody has touched for this long belongs to a process that is gone. */
const STALE_MS = 15_000;
const POLL_MS = 250;

/**
 * Runs `work` while no other process does for the same file. Whoever comes second waits; `onWait` is told once.
 *
 * @throws the signal's reason
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  { onWait, signal }: { readonly onWait?: () => void; readonly signal?: AbortSignal } = {},
): Promise<T> {
  const lock = `${file}.lock`;
  for (let told = false; !(await take(lock)); told = true) {
    if (!told) onWait?.();
    await setTimeout(POLL_MS, undefined, signal ? { signal } : {}).catch(() => undefined);
    signal?.throwIfAborted();
    const age = Date.now() - (await stat(lock).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > STALE_MS) await rm(lock, { force: true });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
