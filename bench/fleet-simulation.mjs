// A million photos on a hundred workers, reckoned: an event simulation of the queue with constants that have been measured
// against a real server and a real worker. `node bench/fleet-simulation.mjs --measure` measures and keeps them (minutes; needs
// redis-server), without it they are read from bench/results/fleet-simulation.json. `[--photos 1000000] [--workers 100]
// [--job-size 16] [--most-waiting 5000] [--seconds s]`, the last a photo's time on a worker: by default the nano's CPU time.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CheckedLog } from '../dist/src/files/checked-log.js';
import { RunNotes } from '../dist/src/fleet/run/run-notes.js';
import { RunStore } from '../dist/src/fleet/run/run-store.js';
import { submitRun } from '../dist/src/fleet/submit/submit-run.js';
import { mergeJournals } from '../dist/src/fleet/worker/merge-journals.js';
import { command, doneIn, generator, JOURNAL, QueueServer, until, writeSmallPhotos } from './fleet-parts.mjs';
import { earlierResults, machineNow, resultsFolder, round, writeResults } from './measuring.mjs';

const { values } = parseArgs({
  options: {
    measure: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    photos: { type: 'string', default: '1000000' },
    workers: { type: 'string', default: '100' },
    'job-size': { type: 'string', default: '16' },
    'most-waiting': { type: 'string', default: '5000' },
    seconds: { type: 'string' },
    port: { type: 'string', default: '7398' },
  },
});

/** Jobs put in at once, and how often a full queue is looked at: src/fleet/submit/submit-run.ts. */
const [AT_ONCE, FULL_POLL_S] = [50, 0.25];
/** The longest journal that is read: src/files/checked-log.ts. */
const JOURNAL_LIMIT = 2 ** 30;
/** Dollars a request, us-east-1, 2026; deleting costs nothing. */
const PRICES = { put: 0.005 / 1000, get: 0.0004 / 1000 };

// --- what is measured

async function measured() {
  const machine = machineNow();
  const work = mkdtempSync(path.join(tmpdir(), 'framewright-simulation-'));
  try {
    const waiting = await measureWaiting(work, values.short ? 2000 : 20_000);
    const worked = await measureWorked(work, values.short ? 64 : 480);
    const { nano, records } = await measureNano(work, values.short ? 16 : 64);
    const merge = await measureMerge(work, records, values.short ? 1000 : 10_000);
    return { ...machine(), ...waiting, server: worked, nano, merge };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** What putting photos in takes, and what the server keeps of jobs that wait; the files are not opened for it. */
async function measureWaiting(work, nPhotos) {
  const photos = path.join(work, 'names');
  const source = path.join(work, 'names.jpg');
  writeFileSync(source, 'x');
  for (let i = 0; i < nPhotos; i++) {
    const folder = path.join(photos, 'shooting', String(Math.floor(i / 1000)).padStart(4, '0'));
    if (i % 1000 === 0) mkdirSync(folder, { recursive: true });
    copyFileSync(source, path.join(folder, `IMG_${String(i).padStart(6, '0')}.jpg`));
  }
  const sizes = [4, 16, 64, 256];
  const seen = [];
  for (const jobSize of sizes) {
    const server = await new QueueServer(path.join(work, 'queue'), { port: Number(values.port) }).start();
    const redis = server.client();
    const before = await infoOf(redis);
    const cpu = process.cpuUsage();
    const start = performance.now();
    const { nJobs } = await submitRun({
      ...{ queue: server.url, inputs: [photos], recursive: true, output: `${path.join(work, 'waiting')}/` },
      ...{ run: 'waiting', jobSize, mostWaiting: 1_000_000, cropper: { engine: 'centre' }, aspects: ['4:5'] },
    });
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const after = await infoOf(redis);
    seen.push({
      jobSize,
      bytesPerJob: (after.memory - before.memory) / nJobs,
      photosPerSecond: nPhotos / seconds,
      submitCpuMsPerPhoto: (user + system) / 1000 / nPhotos,
      serverCpuMsPerJob: (1000 * (after.cpu - before.cpu)) / nJobs,
      bytesInPerJob: (after.bytesIn - before.bytesIn) / nJobs,
    });
    redis.disconnect();
    await server.stop();
  }
  const [perJob, perPhoto] = line(seen.map(({ jobSize, bytesPerJob }) => [jobSize, bytesPerJob]));
  const usual = seen.find(({ jobSize }) => jobSize === 16);
  return {
    waiting: {
      bytesPerJob: Math.round(perJob),
      bytesPerPhoto: Math.round(perPhoto),
      byJobSize: seen.map(({ jobSize, bytesPerJob }) => ({ jobSize, bytesPerJob: Math.round(bytesPerJob) })),
    },
    submit: {
      photosPerSecond: Math.round(usual.photosPerSecond),
      cpuMsPerPhoto: round(usual.submitCpuMsPerPhoto, 3),
      serverCpuMsPerJob: round(usual.serverCpuMsPerJob, 3),
      bytesInPerJob: Math.round(usual.bytesInPerJob),
    },
  };
}

/** What one worker asks of the server: by the job and the photo, and by the second while it has nothing to do. */
async function measureWorked(work, nPhotos) {
  const photos = path.join(work, 'in');
  await writeSmallPhotos(photos, nPhotos, { widthPx: 320 });
  const seen = [];
  let idle;
  for (const jobSize of [2, 8, 32]) {
    const server = await new QueueServer(path.join(work, 'queue'), { port: Number(values.port) }).start();
    const redis = server.client();
    const env = { FRAMEWRIGHT_QUEUE: server.url };
    const alone = idle ? undefined : await cpuWhileIdle(redis);
    const worker = command(['fleet', 'work', '--engine', 'centre', '--jobs', '1'], { env });
    await until(() => worker.stderr.includes('a worker for'), 'worker ready');
    if (!idle) {
      const { commandsPerSecond, cpuMsPerSecond } = await cpuWhileIdle(redis);
      idle = { commandsPerSecond, cpuMsPerSecond: cpuMsPerSecond - alone.cpuMsPerSecond, alone: alone.cpuMsPerSecond };
    }
    const before = await infoOf(redis);
    const run = `worked-${jobSize}`;
    const start = performance.now();
    const { nJobs } = await submitRun({
      ...{ queue: server.url, inputs: [photos], recursive: true, output: `${path.join(work, run)}/` },
      ...{ run, jobSize, cropper: { engine: 'centre' }, aspects: ['4:5'] },
    });
    const store = new RunStore(redis);
    let nAsked = 0;
    const isMerged = async () => {
      nAsked++;
      return (await store.stateOf(run)) === 'merged';
    };
    await until(isMerged, run, { mostMs: 600_000, everyMs: 500 });
    const seconds = (performance.now() - start) / 1000;
    const after = await infoOf(redis);
    seen.push({
      jobSize,
      commands: (after.commands - before.commands - nAsked - seconds * idle.commandsPerSecond) / nJobs,
      cpuMs: (1000 * (after.cpu - before.cpu) - seconds * (idle.cpuMsPerSecond + idle.alone)) / nJobs,
      bytes: (after.bytesIn + after.bytesOut - before.bytesIn - before.bytesOut) / nJobs,
    });
    worker.child.kill('SIGTERM');
    await worker.ended;
    redis.disconnect();
    await server.stop();
  }
  const fit = (what, digits) => {
    const [perJob, perPhoto] = line(seen.map((each) => [each.jobSize, each[what]]));
    return { perJob: round(perJob, digits), perPhoto: round(perPhoto, digits) };
  };
  return {
    commands: fit('commands', 2),
    cpuMs: fit('cpuMs', 3),
    bytes: fit('bytes', 0),
    idleWorker: {
      commandsPerSecond: round(idle.commandsPerSecond, 2),
      cpuMsPerSecond: round(idle.cpuMsPerSecond, 3),
    },
    idleServer: { cpuMsPerSecond: round(idle.alone, 3) },
  };
}

async function cpuWhileIdle(redis) {
  const seconds = values.short ? 10 : 60;
  const before = await infoOf(redis);
  await sleep(seconds * 1000);
  const after = await infoOf(redis);
  return {
    commandsPerSecond: (after.commands - before.commands - 1) / seconds,
    cpuMsPerSecond: (1000 * (after.cpu - before.cpu)) / seconds,
  };
}

/** A photo's time by the nano on one core, and what is noted of it. */
async function measureNano(work, nPhotos) {
  const photos = path.join(work, 'nano-in');
  const out = path.join(work, 'nano');
  await writeSmallPhotos(photos, nPhotos);
  const args = ['-a', '4:5', '--recursive', '--jobs', '1', '--threads', '1', '--gpu', 'cpu', '--json'];
  const running = command([...args, '-o', `${out}/`, photos]);
  let atFirst = 0;
  running.child.stdout.once('data', () => {
    running.look();
    atFirst = running.own;
  });
  const { code, stderr } = await running.ended;
  if (code !== 0) throw new Error(`the nano ended with ${code}: ${stderr}`);
  const records = doneIn(out);
  const bytes = records.reduce((sum, record) => sum + Buffer.byteLength(JSON.stringify(record)) + 22, 0);
  const nano = {
    cpuSecondsPerPhoto: round((running.own - atFirst) / 1000 / (nPhotos - 1), 4),
    journalBytesPerPhoto: Math.round(bytes / records.length),
    jobJournalBytesPerPhoto: Math.round(statSync(path.join(out, JOURNAL)).size / records.length),
  };
  return { nano, records };
}

/** Journals of jobs as the nano's would be, made one. */
async function measureMerge(work, records, nPhotos) {
  const notes = new RunNotes(path.join(work, 'merge'), 'merge');
  for (let from = 0; from < nPhotos; from += 16) {
    const log = await CheckedLog.open(notes.of(String(from).padStart(8, '0')).file);
    for (let i = from; i < Math.min(nPhotos, from + 16); i++) {
      await log.append({ ...records[i % records.length], photo: `../in/${i}.jpg` });
    }
    await log[Symbol.asyncDispose]();
  }
  const cpu = process.cpuUsage();
  const start = performance.now();
  await mergeJournals({ home: notes.home, run: 'merge' });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const nMerged = doneIn(notes.home).length;
  if (nMerged !== nPhotos || readdirSync(notes.home).length !== 1) throw new Error(`${nMerged} of ${nPhotos} merged`);
  const per10000 = 10_000 / nPhotos;
  return {
    secondsPer10000: round(seconds * per10000, 2),
    cpuSecondsPer10000: round(((user + system) / 1e6) * per10000, 2),
  };
}

async function infoOf(redis) {
  const text = await redis.info('all');
  const number = (name) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(text)[1]);
  // Commands that scripts give are counted as well as the scripts.
  return {
    memory: number('used_memory'),
    commands: number('total_commands_processed'),
    cpu: number('used_cpu_sys') + number('used_cpu_user'),
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
  };
}

/** Least squares: [a, b] of y = a + b x. */
function line(points) {
  const n = points.length;
  const [mx, my] = [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / n);
  const b =
    points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return [my - b * mx, b];
}

// --- what is reckoned

/** Jobs that wait, by events: whoever submits puts some in, a worker takes one. */
function simulate({ nPhotos, nWorkers, jobSize, mostWaiting, secondsPerPhoto, photosPerSecond }) {
  const random = generator(1);
  const nJobs = Math.ceil(nPhotos / jobSize);
  // No two machines are alike, nor two photos: each worker within a fifth, each job within a half of that.
  const speed = Array.from({ length: nWorkers }, () => 0.8 + 0.4 * random());
  const jobSeconds = (worker) => jobSize * secondsPerPhoto * speed[worker] * (0.9 + 0.2 * random());
  const idle = Array.from({ length: nWorkers }, (_, i) => i);
  const busy = new Heap();
  let [nIn, nDone, waiting, peak, submitAt, now, submittedAt] = [0, 0, 0, 0, 0, 0, 0];
  while (nDone < nJobs) {
    const isSubmitting = nIn < nJobs;
    if (isSubmitting && (busy.size === 0 || submitAt <= busy.first.at)) {
      now = submitAt;
      if (waiting < mostWaiting) {
        const some = Math.min(AT_ONCE, nJobs - nIn);
        nIn += some;
        waiting += some;
        submittedAt = now;
        submitAt = now + (some * jobSize) / photosPerSecond;
      } else submitAt = now + FULL_POLL_S;
    } else {
      const { at, worker } = busy.take();
      now = at;
      nDone++;
      idle.push(worker);
    }
    while (waiting > 0 && idle.length > 0) {
      const worker = idle.pop();
      waiting--;
      busy.put({ at: now + jobSeconds(worker), worker });
    }
    peak = Math.max(peak, waiting);
  }
  return { nJobs, seconds: now, submittedAfter: submittedAt, peakWaiting: peak, photosPerSecond: nPhotos / now };
}

/** The earliest first. */
class Heap {
  #all = [];

  get size() {
    return this.#all.length;
  }

  get first() {
    return this.#all[0];
  }

  put(item) {
    const all = this.#all;
    all.push(item);
    for (let i = all.length - 1; i > 0;) {
      const up = (i - 1) >> 1;
      if (all[up].at <= all[i].at) break;
      [all[up], all[i]] = [all[i], all[up]];
      i = up;
    }
  }

  take() {
    const all = this.#all;
    const first = all[0];
    const last = all.pop();
    if (all.length === 0) return first;
    all[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (const below of [2 * i + 1, 2 * i + 2]) {
        if (below < all.length && all[below].at < all[least].at) least = below;
      }
      if (least === i) return first;
      [all[least], all[i]] = [all[i], all[least]];
      i = least;
    }
  }
}

function tell({ waiting, submit, server, nano, merge }) {
  const [nPhotos, nWorkers, jobSize] = ['photos', 'workers', 'job-size'].map((name) => Number(values[name]));
  const secondsPerPhoto = Number(values.seconds ?? nano.cpuSecondsPerPhoto);
  const common = { nPhotos, nWorkers, jobSize, secondsPerPhoto, photosPerSecond: submit.photosPerSecond };
  const held = simulate({ ...common, mostWaiting: Number(values['most-waiting']) });
  const free = simulate({ ...common, mostWaiting: Infinity });
  const ofJob = ({ perJob, perPhoto }) => perJob + perPhoto * jobSize;
  const memory = (nWaiting) => nWaiting * (waiting.bytesPerJob + waiting.bytesPerPhoto * jobSize);
  const jobsPerSecond = held.nJobs / held.seconds;
  const requests = jobsPerSecond * ofJob(server.commands) + nWorkers * server.idleWorker.commandsPerSecond;
  const cpuMs =
    jobsPerSecond * ofJob(server.cpuMs) +
    nWorkers * server.idleWorker.cpuMsPerSecond +
    server.idleServer.cpuMsPerSecond;
  const mergeSeconds = (merge.secondsPer10000 * nPhotos) / 10_000;
  const s3 = {
    put: nPhotos + held.nJobs,
    list: Math.ceil(nPhotos / 1000),
    get: nPhotos + held.nJobs,
    delete: Math.ceil(held.nJobs / 1000),
  };
  const dollars = (s3.put + s3.list) * PRICES.put + s3.get * PRICES.get;
  console.log(`${nPhotos} photos, ${nWorkers} workers, ${jobSize} photos a job, ${secondsPerPhoto} s a photo`);
  const rows = {
    'time until all are cropped': hours(held.seconds),
    'photos a second': held.photosPerSecond.toFixed(1),
    'all photos in the queue after': `${hours(held.submittedAfter)}; without flow control ${hours(free.submittedAfter)}`,
    'jobs that wait, at most': `${held.peakWaiting}; without flow control ${free.peakWaiting}`,
    'memory of these at the server': `${megabytes(memory(held.peakWaiting))}; without flow control ${megabytes(memory(free.peakWaiting))}`,
    'commands a second at the server': `${requests.toFixed(0)}, those in scripts counted`,
    "of one core's time at the server": `${(cpuMs / 10).toFixed(1)} %`,
    'traffic of the server': `${((jobsPerSecond * ofJob(server.bytes)) / 1000).toFixed(0)} kB/s`,
    'journals of jobs': `${held.nJobs} files, ${megabytes(nPhotos * nano.jobJournalBytesPerPhoto)}`,
    'the one journal': `${megabytes(nPhotos * nano.journalBytesPerPhoto)}, made in ${hours(mergeSeconds)}`,
    'requests to S3': `${s3.put} PUT, ${s3.list} LIST, ${s3.get} GET, ${s3.delete} DELETE: $${dollars.toFixed(2)} at the list price of $0.005 per 1000 PUT/LIST and $0.0004 per 1000 GET (us-east-1, 2026); traffic and storage not counted`,
    'requests to S3 a second': `${(held.photosPerSecond * (2 + 1 / jobSize)).toFixed(0)} while it runs`,
  };
  for (const [what, text] of Object.entries(rows)) console.log(`  ${what}: ${text}`);
  const perWorkerPhotos = held.photosPerSecond / nWorkers;
  const perWorkerCpu = cpuMs / nWorkers;
  const limits = [
    [
      `${Math.floor(JOURNAL_LIMIT / nano.journalBytesPerPhoto)} photos`,
      nPhotos / (JOURNAL_LIMIT / nano.journalBytesPerPhoto),
      'the one journal is longer than what is read again, 1 GiB: --resume and --report stop working',
    ],
    [
      `${Math.floor(submit.photosPerSecond / perWorkerPhotos)} workers`,
      (nWorkers * perWorkerPhotos) / submit.photosPerSecond,
      'one submit no longer keeps the workers busy',
    ],
    [`${Math.floor(1000 / perWorkerCpu)} workers`, cpuMs / 1000, "the server's one core is full"],
  ];
  console.log('what breaks first:');
  for (const [at, share, what] of limits.toSorted((a, b) => b[1] - a[1])) {
    console.log(`  at ${at} (${share.toFixed(2)} of the way, 1 is there): ${what}`);
  }
}

function hours(seconds) {
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(2)} h`;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

if (values.measure) writeResults('fleet-simulation', await measured());
const constants = earlierResults('fleet-simulation');
if (constants.server === undefined) {
  throw new Error(`no constants in ${resultsFolder()}: node bench/fleet-simulation.mjs --measure`);
}
tell(constants);
