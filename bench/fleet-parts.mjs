// What the benches of the fleet share: small photos, a queue's server of their own, the command, and what it has made.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { root } from './measuring.mjs';

export const JOURNAL = '.framewright-journal.jsonl';
const MAIN = path.join(root, 'dist', 'src', 'cli', 'main.js');
const SOURCES = ['dandelion', 'dogs', 'dust-bowl-home', 'mountains', 'pagoda'];
/** Photos of a folder. */
const FOLDER = 500;

/** Park and Miller's minimal standard generator: 0 to 1, the same for the same seed. */
export function generator(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/**
 * Writes `count` photos of some 640 px, no two alike, into folders of 500: parts of the examples, mirrored and tinted.
 * The same ones on every call with the same seed, and others with another.
 */
export async function writeSmallPhotos(folder, count, { widthPx = 640, seed = 1 } = {}) {
  const random = generator(seed);
  const sources = await Promise.all(
    SOURCES.map(async (name) => {
      const file = await readFile(path.join(root, 'examples', 'photos', `${name}.jpg`));
      const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return { data, raw: { width: info.width, height: info.height, channels: info.channels } };
    }),
  );
  const write = async (i) => {
    const { data, raw } = sources[i % sources.length];
    const share = 0.6 + 0.35 * random();
    const [width, height] = [Math.round(raw.width * share), Math.round(raw.height * share)];
    const [left, top] = [(raw.width - width) * random(), (raw.height - height) * random()].map(Math.floor);
    const hue = Math.round(40 * random()) - 20;
    const into = path.join(folder, String(Math.floor(i / FOLDER)).padStart(4, '0'));
    mkdirSync(into, { recursive: true });
    await sharp(data, { raw })
      .extract({ left, top, width, height })
      .flop(random() < 0.5)
      .resize(widthPx, widthPx, { fit: 'inside' })
      .modulate({ hue })
      .jpeg({ quality: 85 })
      .toFile(path.join(into, `${String(i).padStart(6, '0')}.jpg`));
  };
  for (let i = 0; i < count; i += 8) {
    await Promise.all(Array.from({ length: Math.min(8, count - i) }, (_, k) => write(i + k)));
  }
}

/** A redis-server of its own, which keeps what it has in `folder` if it `isKept`, and can be killed and started again. */
export class QueueServer {
  #child;

  constructor(folder, { port, isKept = false, flags = [] }) {
    this.folder = folder;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    const kept = isKept ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : ['--appendonly', 'no'];
    this.flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...kept, ...flags];
  }

  get pid() {
    return this.#child.pid;
  }

  async start() {
    mkdirSync(this.folder, { recursive: true });
    this.#child = spawn('redis-server', this.flags, { stdio: 'ignore' });
    await new Promise((resolve, reject) => this.#child.once('spawn', resolve).once('error', reject));
    const redis = this.client();
    try {
      await redis.ping();
    } finally {
      redis.disconnect();
    }
    return this;
  }

  /** A client, which waits for the server as workers do. */
  client() {
    const redis = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => undefined);
    return redis;
  }

  /** How much of what it did is in its append-only file. */
  keptBytes() {
    return statSync(this.#kept()).size;
  }

  /** What came later is lost, as by a power cut; it must not be running. */
  loseAfter(nBytes) {
    truncateSync(this.#kept(), nBytes);
  }

  #kept() {
    const folder = path.join(this.folder, 'appendonlydir');
    return path.join(
      folder,
      readdirSync(folder).find((name) => name.endsWith('.incr.aof')),
    );
  }

  async stop(signal = 'SIGTERM') {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal);
      await ended;
    }
  }
}

/** The processors there are, as taskset counts them. */
export function cores() {
  try {
    const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
    return list.split(',').flatMap((part) => {
      const [from, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
  } catch {
    return Array.from({ length: availableParallelism() }, (_, i) => i);
  }
}

const canPin = process.platform === 'linux' && existsSync('/usr/bin/taskset');

/**
 * The command under way. `ended` gives its exit code, signal and what it said; `cpuMs` is that of itself and what it started,
 * as last seen.
 */
export function command(args, { core, env = {} } = {}) {
  const pinned = core !== undefined && canPin ? ['taskset', '-c', String(core)] : [];
  const [program, ...rest] = [...pinned, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const running = { child, pid: child.pid, stdout: '', stderr: '', own: 0, children: 0 };
  child.stdout.setEncoding('utf8').on('data', (text) => (running.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (running.stderr += text));
  const look = () => {
    running.own = Math.max(running.own, cpuMsOf(child.pid));
    const below = childrenOf(child.pid).reduce((sum, pid) => sum + cpuMsOf(pid), 0);
    running.children = Math.max(running.children, below);
  };
  running.look = look;
  const timer = setInterval(look, 50);
  running.ended = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearInterval(timer);
      resolve({ code, signal, stdout: running.stdout, stderr: running.stderr });
    });
  });
  return running;
}

/** CPU time of a process, which may have ended: 0 then. */
export function cpuMsOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12])); // clock ticks of 10 ms
  } catch {
    return 0;
  }
}

export function childrenOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Resolves when `isSo` says something true, with that; rejects where it has not for `mostMs`. */
export async function until(isSo, what, { mostMs = 60_000, everyMs = 50 } = {}) {
  const start = performance.now();
  for (;;) {
    const found = await isSo();
    if (found) return found;
    if (performance.now() - start > mostMs) throw new Error(`${what}: not after ${Math.round(mostMs / 1000)} s`);
    await sleep(everyMs);
  }
}

/** Every file below a folder, by path, without its journal and other notes. */
export function filesBelow(folder) {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** The name of every picture below a folder, with the hash of its bytes. */
export function picturesBelow(folder) {
  const pictures = new Map();
  for (const file of filesBelow(folder)) {
    if (path.basename(file).startsWith('.')) continue;
    pictures.set(
      file,
      createHash('sha256')
        .update(readFileSync(path.join(folder, file)))
        .digest('hex'),
    );
  }
  return pictures;
}

/** What is noted as done in the journal of a folder, in its order. */
export function doneIn(folder) {
  const file = path.join(folder, JOURNAL);
  if (!existsSync(file)) return [];
  const done = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      const [, record] = JSON.parse(line);
      if (record.what === 'done') done.push(record);
    } catch {
      // torn by a kill, or the empty first line
    }
  }
  return done;
}

/** A record or a result without what may differ: how long it took, and which folder it is in. */
export function comparable(value, folder) {
  const text = JSON.stringify(value, (name, each) => (name === 'timingsMs' ? undefined : each));
  return text.replaceAll(path.resolve(folder), '<output>');
}

/** What differs between two folders of crops: files, and what their journals say of each photo, once. */
export function differences(one, other) {
  const found = [];
  const [pictures, others] = [picturesBelow(one), picturesBelow(other)];
  for (const file of new Set([...pictures.keys(), ...others.keys()])) {
    if (pictures.get(file) !== others.get(file)) {
      found.push(`${file}: ${!pictures.has(file) || !others.has(file) ? 'in one folder alone' : 'other bytes'}`);
    }
  }
  const [records, otherRecords] = [one, other].map((folder) => {
    const of = new Map();
    for (const record of doneIn(folder)) {
      if (of.has(record.photo)) found.push(`${record.photo}: noted twice in ${path.basename(folder)}`);
      of.set(record.photo, comparable(record, folder));
    }
    return of;
  });
  for (const photo of new Set([...records.keys(), ...otherRecords.keys()])) {
    if (records.get(photo) !== otherRecords.get(photo)) found.push(`${photo}: noted otherwise, or not at all`);
  }
  return found;
}
