import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { fleetStatus, type RunStatus } from '../../src/index.js';
import { framewright, type Finished } from '../cli/run.js';
import { projectFile } from '../support/photos.js';
import { startRedis, type TestRedis } from '../support/redis.js';

/** A worker in a process of its own, as a user starts it. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it has said on stderr. */
  readonly said: () => string;
  /** Ends it as an orchestrator does, and resolves with its exit code. */
  stop(): Promise<number | null>;
}

export interface FleetFolder {
  readonly redis: () => TestRedis;
  /** A path in the test's own folder. */
  readonly at: (...names: readonly string[]) => string;
  /** Puts so many different small photos into a folder, `p000.jpg` and so on, and names them. */
  readonly photos: (n: number, ...folder: readonly string[]) => Promise<string[]>;
  /** `framewright fleet <args>` on the test's queue. */
  readonly fleet: (...args: readonly string[]) => Promise<Finished>;
  /** Starts `framewright fleet work`, by default on the engine `centre`, and waits until it takes jobs. */
  readonly work: (args?: readonly string[], env?: NodeJS.ProcessEnv) => Promise<WorkerProcess>;
  readonly status: (run: string) => Promise<RunStatus>;
  /** Why workers wait that are at a run; those that were killed are still among its workers for a while. */
  readonly whyWaiting: (run: string) => Promise<string>;
  /** Waits for a run to be in a state. */
  readonly until: (run: string, state: RunStatus['state']) => Promise<RunStatus>;
}

/** Call at the top of a `describe`: a server for the file, and for each test a folder. Workers do not outlive their test. */
export function useFleet(): FleetFolder {
  // Each starts several processes, one after the other.
  vi.setConfig({ testTimeout: 240_000 });
  let top: string;
  let redis: TestRedis;
  let folder: string;
  let workers: WorkerProcess[] = [];
  const at = (...names: readonly string[]): string => path.join(folder, ...names);
  beforeAll(async () => {
    top = mkdtempSync(path.join(tmpdir(), 'framewright-redis-'));
    redis = await startRedis(top);
  });
  afterAll(async () => {
    await redis.close();
    rmSync(top, { recursive: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'framewright-fleet-'));
  });
  afterEach(async () => {
    for (const worker of workers) await worker.stop();
    workers = [];
    await redis.clear();
    rmSync(folder, { recursive: true });
  });
  const status = async (run: string): Promise<RunStatus> => (await fleetStatus({ queue: redis.url, run })).runs[0]!;
  return {
    redis: () => redis,
    at,
    photos: async (n, ...names) => {
      mkdirSync(at(...names), { recursive: true });
      const files = Array.from({ length: n }, (_, i) => at(...names, `p${String(i).padStart(3, '0')}.jpg`));
      for (const [i, file] of files.entries()) await drawnPhoto(i).toFile(file);
      return files;
    },
    fleet: (...args) => framewright(['fleet', ...args, '--queue', redis.url], { cwd: folder }),
    work: async (args = ['--engine', 'centre'], env = {}) => {
      const worker = startWork([...args, '--queue', redis.url], env);
      workers.push(worker);
      await expect.poll(worker.said).toContain('a worker for');
      return worker;
    },
    status,
    whyWaiting: async (run) => {
      const { workers: there } = await status(run);
      return there.map(({ why = '' }) => why).join('\n');
    },
    until: async (run, state) => {
      await expect.poll(async () => (await status(run)).state, { timeout: 120_000, interval: 100 }).toBe(state);
      return status(run);
    },
  };
}

function startWork(args: readonly string[], env: NodeJS.ProcessEnv): WorkerProcess {
  const script = projectFile('dist', 'src', 'cli', 'main.js');
  const child = spawn(process.execPath, [script, 'fleet', 'work', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    child,
    said: () => said,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      return child.exitCode;
    },
  };
}

/** Small, of a shape and colours of its own, and quick to crop. */
function drawnPhoto(nth: number): Sharp {
  const hue = (nth * 47) % 360;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${96 + (nth % 5) * 8}" height="72">
    <rect width="100%" height="100%" fill="hsl(${hue}, 60%, 40%)"/><circle cx="${20 + (nth % 40)}" cy="36" r="14" fill="#fff"/></svg>`;
  return sharp(Buffer.from(svg)).jpeg();
}

/** What a run has written: files by name with a hash each, notes of its own aside. */
export function written(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(jpg|png)$/.test(name));
  return Object.fromEntries(
    names.sort().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(path.join(folder, name)))
        .digest('hex'),
    ]),
  );
}

/** What the journal of a folder says is done, by photo; without what is of one moment. */
export function journalOf(folder: string): Map<string, unknown> {
  const done = new Map<string, unknown>();
  for (const line of readFileSync(path.join(folder, '.framewright-journal.jsonl'), 'utf8').split('\n')) {
    if (line === '') continue;
    const [, record] = JSON.parse(line) as [
      string,
      { what: string; photo: string; results: { timingsMs?: unknown }[] },
    ];
    if (record.what !== 'done') continue;
    expect(done.has(record.photo), `${record.photo} is done once`).toBe(false);
    done.set(record.photo, { ...record, results: record.results.map(({ timingsMs: _, ...result }) => result) });
  }
  return done;
}
