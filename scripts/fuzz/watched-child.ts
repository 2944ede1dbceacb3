import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rangesOf } from './seed-ranges.js';

export interface Limits {
  /** Longest time one seed may take. */
  readonly seedMs: number;
  /** Most resident memory the child may have; watched on Linux only. */
  readonly rssBytes: number;
}

/** How a child ended before its seeds were done, in words. */
export type Death = string | undefined;

/**
 * Runs seeds in a process of its own. Resolves when it has ended, by itself or killed: for a limit, or for a
 * word on its stdout.
 */
export async function runWatched(
  script: string,
  seeds: readonly number[],
  limits: Limits,
  onReport: (report: unknown) => void,
  args: readonly string[] = [],
): Promise<Death> {
  const child = fork(script, ['--child', rangesOf(seeds), ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => (lastWords = (lastWords + chunk.toString()).slice(-600)));
  let killedFor: string | undefined;
  // Native libraries that print would spoil a command's output.
  child.stdout?.on('data', (chunk: Buffer) => (killedFor ??= `printed: ${chunk.toString().slice(0, 200)}`));
  let seedStarted = performance.now();
  child.on('message', (message) => {
    seedStarted = performance.now();
    onReport(message);
  });
  const watch = setInterval(() => {
    if (performance.now() - seedStarted > limits.seedMs) killedFor ??= `hang: more than ${limits.seedMs} ms`;
    else if (rssOf(child.pid) > limits.rssBytes) killedFor ??= `memory: more than ${limits.rssBytes} bytes`;
    if (killedFor !== undefined) child.kill('SIGKILL');
  }, 50);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (...end) => resolve(end));
  });
  clearInterval(watch);
  if (code === 0) return undefined;
  return killedFor ?? `crash: ${signal ?? `exit code ${String(code)}`}; ${lastWords.trim()}`;
}

function rssOf(pid: number | undefined): number {
  try {
    const pages = readFileSync(`/proc/${String(pid)}/statm`, 'utf8').split(' ')[1];
    return Number(pages) * 4096;
  } catch {
    return 0;
  }
}
