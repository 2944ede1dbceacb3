// A fleet under kill -9: of workers, of the processes that crop for them, of whoever submits, and of the queue's server, which
// is started again on its append-only file, at times without its last second; each at a random moment, many times a round. Whatever was killed is started
// again, as systemd would. At the end every photo has to be there once, whole, as one process makes it, and nothing else.
// `node bench/fleet-killed.mjs [--rounds 20] [--seed 1] [--photos 300] [--workers 3] [--engine rules]
// [--kills 12] [--pause 4000] [--keep]` after
// `npm run build`; needs redis-server. Exits with 1 where a round ends otherwise; what it was in is kept then.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RunStore } from '../dist/src/fleet/run/run-store.js';
import { queueName, QUEUE_PREFIX } from '../dist/src/fleet/queue.js';
import {
  childrenOf,
  command,
  differences,
  filesBelow,
  generator,
  JOURNAL,
  QueueServer,
  until,
  writeSmallPhotos,
} from './fleet-parts.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    photos: { type: 'string', default: '300' },
    workers: { type: 'string', default: '3' },
    engine: { type: 'string', default: 'rules' },
    kills: { type: 'string', default: '12' },
    pause: { type: 'string', default: '4000' },
    port: { type: 'string', default: '7397' },
    keep: { type: 'boolean', default: false },
  },
});
const RUN = 'killed';
/** Of a job; and those that wait at most, so that whoever submits is at it for most of the round. */
const [JOB_SIZE, MOST_WAITING] = [2, 20];
/** A run that has not ended so long after the last kill never will: its locks run out after 2 s. */
const STUCK_MS = 300_000;

const random = generator(Number(values.seed));
const work = mkdtempSync(path.join(tmpdir(), 'framewright-fleet-killed-'));
const photos = path.join(work, 'in');
const problems = [];

/** Something that is started again whenever it ends, until it is `left`; or until it ends well. */
class Service {
  #args;
  #env;
  #endsWell;
  running;
  isLeft = false;
  nKilled = 0;
  /** What it said when it ended without having been killed. */
  ends = [];

  constructor(args, { env, endsWell = false }) {
    this.#args = args;
    this.#env = env;
    this.#endsWell = endsWell;
    this.all = this.#run();
  }

  async #run() {
    while (!this.isLeft) {
      this.running = command(this.#args, { env: this.#env });
      const { code, signal, stderr } = await this.running.ended;
      this.running = undefined;
      if (code === 0 && this.#endsWell) return;
      if (signal !== 'SIGKILL' && !this.isLeft) this.ends.push(`code ${code}: ${stderr.trim().split('\n').at(-1)}`);
      await sleep(200);
    }
  }

  /** Whether there was something to kill. */
  kill(pick = (pid) => pid) {
    const pid = this.running && pick(this.running.pid);
    if (pid === undefined) return false;
    try {
      process.kill(pid, 'SIGKILL');
      this.nKilled++;
      return true;
    } catch {
      return false; // it has ended by itself
    }
  }

  async leave() {
    this.isLeft = true;
    this.running?.child.kill('SIGTERM');
    await this.all;
  }
}

async function round(nth) {
  const out = path.join(work, `round-${nth}`);
  const server = await new QueueServer(path.join(work, `queue-${nth}`), {
    port: Number(values.port),
    isKept: true,
  }).start();
  const env = { FRAMEWRIGHT_QUEUE: server.url };
  const worker = ['fleet', 'work', '--engine', values.engine, '--lock', '2', '--jobs', '1', '--threads', '1'];
  const workers = Array.from({ length: Number(values.workers) }, () => new Service(worker, { env }));
  const put = ['fleet', 'submit', '--engine', values.engine, '-a', '4:5', '--recursive', '--run', RUN, '-o', `${out}/`];
  const flow = ['--job-size', String(JOB_SIZE), '--most-waiting', String(MOST_WAITING)];
  const submit = new Service([...put, ...flow, photos], { env, endsWell: true });
  const redis = server.client();
  const store = new RunStore(redis);
  const killed = { worker: 0, child: 0, submit: 0, server: 0, power: 0 };
  const events = [];
  const start = performance.now();
  const any = () => workers[Math.floor(random() * workers.length)];
  const WAYS = {
    worker: () => any().kill(),
    child: () => any().kill((pid) => childrenOf(pid)[0]),
    submit: () => submit.kill(),
    server: async () => {
      await server.stop('SIGKILL');
      await sleep(random() * 1500);
      await server.start();
      return true;
    },
    // As a power cut: what the server did in up to a second before is lost.
    power: async () => {
      const nBytes = server.keptBytes();
      await sleep(random() * 1000);
      await server.stop('SIGKILL');
      server.loseAfter(nBytes);
      await server.start();
      return true;
    },
  };
  const isMerged = async () => (await store.stateOf(RUN)) === 'merged';
  let isEnded = false;
  let nAside = 0;
  try {
    // The first moments are when processes start: of those that come later most is in hand.
    await until(() => store.stateOf(RUN), 'the run is known');
    while (!(await isMerged())) {
      // At times one right after the other.
      if (random() < 0.8) await sleep(random() * 2 * Number(values.pause));
      const way = ['worker', 'worker', 'child', 'child', 'submit', 'server', 'power'][Math.floor(random() * 7)];
      if (!(await WAYS[way]())) continue;
      killed[way]++;
      events.push(`${Math.round(performance.now() - start)} ms: ${way}`);
      // Enough by now: what is left has to come to its end.
      if (events.length === Number(values.kills)) break;
    }
    await until(isMerged, 'the run is merged', { mostMs: STUCK_MS, everyMs: 200 });
    isEnded = true;
    // Whoever was killed last may still be about to submit it all again.
    await until(() => !submit.running && store.stateOf(RUN), 'submit ends', { mostMs: STUCK_MS });
    await until(isMerged, 'the run is merged again', { mostMs: STUCK_MS, everyMs: 200 });
    // Three kills at one photo are told from a photo that kills by nobody: it is set aside.
    nAside = (await store.record(RUN)).failures.WORKER_DIED ?? 0;
    if (3 * nAside > killed.worker + killed.child) problems.push(`round ${nth}: ${nAside} photos set aside`);
    if (nAside > 0) {
      const { code, stderr } = await command(['fleet', 'retry', RUN, '--code', 'WORKER_DIED'], { env }).ended;
      if (code !== 0) problems.push(`round ${nth}: retry ended with ${code}: ${stderr}`);
      await until(isMerged, 'the run is merged after retry', { mostMs: STUCK_MS, everyMs: 200 });
    }
    problems.push(...(await lookAt(out, redis, store)).map((what) => `round ${nth}: ${what}`));
  } catch (error) {
    problems.push(`round ${nth}: ${error.message}`);
  }
  const record = await store.record(RUN).catch(() => undefined);
  if (!isEnded) console.error(`stuck: ${JSON.stringify({ ...record, spec: undefined })}`);
  for (const service of [...workers, submit]) await service.leave();
  const { nPhotos, nDone, nFailed } = record ?? {};
  const ends = [...workers, submit].flatMap((service) => service.ends);
  redis.disconnect();
  await server.stop();
  console.log(
    `round ${String(nth).padStart(2)}: ${JSON.stringify(killed)} killed in ${((performance.now() - start) / 1000).toFixed(0)} s; ${nDone} of ${nPhotos} done, ${nFailed} failed, ${nAside} set aside and tried again; ${problems.length} problems so far${ends.length > 0 ? `; ended by themselves: ${ends.join(' | ')}` : ''}`,
  );
  return { folders: [out, server.folder], events };
}

/** What is not as it should be at the end of a round. */
async function lookAt(out, redis, store) {
  const found = differences(path.join(work, 'single'), out);
  const { nPhotos, nDone, nFailed, nOpen, failures, spec } = await store.record(RUN);
  const n = Number(values.photos);
  if (nPhotos !== n || nDone !== n) found.push(`status says ${nDone} of ${nPhotos} photos, of ${n}`);
  if (nFailed > 0) {
    found.push(`failed: ${JSON.stringify(failures)}`);
    for await (const some of store.failures(RUN)) {
      for (const { photo, code, message } of some) found.push(`${photo.planned.input}: ${message} [${code}]`);
    }
  }
  if (nOpen > 0) found.push(`${nOpen} jobs open`);
  for (const file of filesBelow(out)) {
    const name = path.basename(file);
    if (name.startsWith('.') && file !== JOURNAL) found.push(`${file} is left`);
  }
  if (readdirSync(out).includes('.framewright-fleet')) found.push('.framewright-fleet is left');
  // What BullMQ keeps of a queue without jobs: its own notes, events that were, and marks that workers wait at.
  const prefix = `${QUEUE_PREFIX}:${queueName(spec.madeFor)}:`;
  const own = ['meta', 'events', 'marker', 'stalled-check', 'id', 'pc'];
  const isLeft = async () => (await redis.keys(`${prefix}*`)).filter((key) => !own.includes(key.slice(prefix.length)));
  // A worker that says last of all that its job is done may be just about to.
  await until(async () => (await isLeft()).length === 0, 'empty', { mostMs: 15_000 }).catch(async () => {
    found.push(`in the queue: ${(await isLeft()).join(', ')}`);
  });
  return found;
}

try {
  await writeSmallPhotos(photos, Number(values.photos));
  const args = ['--engine', values.engine, '-a', '4:5', '--recursive', '--json', '--jobs', '1', '--threads', '1'];
  const whole = await command([...args, '-o', `${path.join(work, 'single')}/`, photos]).ended;
  if (whole.code !== 0) throw new Error(`one process ended with ${whole.code}: ${whole.stderr}`);
  for (let nth = 1; nth <= Number(values.rounds); nth++) {
    const before = problems.length;
    const { folders, events } = await round(nth);
    if (problems.length === before) for (const folder of folders) rmSync(folder, { recursive: true });
    else for (const line of [...problems.slice(before, before + 20), ...events]) console.error(line);
  }
} finally {
  if (problems.length > 0 || values.keep) console.log(`kept: ${work}`);
  else rmSync(work, { recursive: true });
}
console.log(problems.length === 0 ? 'the same end every time' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
