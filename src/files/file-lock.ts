import { defined } from '../base/defined.js';
import { randomUUID } from 'node:crypto';
import { readFile, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { FramewrightError } from '../base/errors.js';
import { readOwnFile } from './own-file.js';
import { publishNew, writeFileAtomic } from './write.js';

const holderSchema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** Tells a process from a later one of the same number; where the system says it. */
  started: z.string().optional(),
  since: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

const POLL_MS = 250;
/** More is no lock. */
const MAX_BYTES = 4096;

/**
 * Holds `file` until disposed, so that one run at a time works on what it stands for. The lock of a process of this
 * machine that is gone, killed or crashed, counts for nothing; a file that is no lock is left alone.
 *
 * @param what what is locked, for the message
 * @throws FramewrightError OUTPUT_LOCKED where another run holds it, OUTPUT_WRITE where it cannot be made or another
 *   file has its name
 */
export async function lockFile(file: string, what: string): Promise<AsyncDisposable> {
  const started = await startOf(process.pid);
  const own = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    ...defined({ started }),
    since: new Date().toISOString(),
  } satisfies Holder);
  let holder: Holder | undefined;
  // Who finds it stale or just released, again and again, is told so rather than kept busy.
  for (let attempt = 0; attempt < 10; attempt++) {
    // Looked at before anything is written: a run that waits looks often.
    const text = await readOwnFile(file, MAX_BYTES).catch((cause: unknown) => {
      if (cause instanceof FramewrightError) throw inTheWay(file, cause);
      return undefined;
    });
    if (text === undefined) {
      try {
        await writeFileAtomic(file, Buffer.from(own));
        return { [Symbol.asyncDispose]: () => release(file, own) };
      } catch (error) {
        if (!(error instanceof FramewrightError) || error.code !== 'OUTPUT_EXISTS') throw error;
        continue; // another run was quicker
      }
    }
    holder = holderOf(text);
    if (holder && !(await isGone(holder))) break;
    if (!holder && !isBlank(text)) throw inTheWay(file);
    await takeAway(file, text);
  }
  throw held(file, what, holder);
}

/**
 * As lockFile, but waits for whoever holds it; `onWait` is told once who that is.
 *
 * @throws FramewrightError OUTPUT_WRITE; the signal's reason
 */
export async function lockFileInTurn(
  file: string,
  what: string,
  { onWait, signal }: { readonly onWait?: (held: string) => void; readonly signal?: AbortSignal } = {},
): Promise<AsyncDisposable> {
  for (let isFirst = true; ; isFirst = false) {
    signal?.throwIfAborted();
    try {
      return await lockFile(file, what);
    } catch (error) {
      if (!(error instanceof FramewrightError) || error.code !== 'OUTPUT_LOCKED') throw error;
      if (isFirst) onWait?.(error.message);
    }
    await setTimeout(POLL_MS, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

async function release(file: string, own: string): Promise<void> {
  if ((await readOwnFile(file, MAX_BYTES).catch(() => undefined)) === own) await unlink(file).catch(() => undefined);
}

/** Removes a stale lock, but not the one another run has put in its place since it was read. */
async function takeAway(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return; // another run was quicker
  }
  if ((await readOwnFile(aside, MAX_BYTES).catch(() => undefined)) === stale) await unlink(aside);
  else await publishNew(aside, file).catch(() => unlink(aside));
}

/** What a power cut may leave of a lock. */
function isBlank(text: string): boolean {
  return /^[\s\0]*$/.test(text);
}

/** Undefined for what is no lock: made by nobody who will ever release it. */
function holderOf(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function isGone({ pid, host, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  return started !== undefined && (await startOf(pid)) !== started;
}

/** Linux: field 22 of /proc/pid/stat, clock ticks since boot; the name in field 2 may hold anything but ends with `)`. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function inTheWay(file: string, cause?: unknown): FramewrightError {
  const what = `${file} is in the way, and is no lock of ours; move it elsewhere`;
  return new FramewrightError('OUTPUT_WRITE', what, { cause });
}

function held(file: string, what: string, holder: Holder | undefined): FramewrightError {
  const who = holder ? `process ${holder.pid} on ${holder.host}, since ${holder.since}` : 'by a run just started';
  return new FramewrightError(
    'OUTPUT_LOCKED',
    `another run is at work on ${what} (${who}): wait for it, or delete ${file} if it is gone`,
  );
}
