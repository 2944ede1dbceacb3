// A fleet against one process: the same files and records, how photos a minute grow with a second worker, and what the queue
// costs. Small photos, all different, are cropped in parts of each way in turn: one process, a fleet of one worker, of two,
// and two processes that know nothing of each other, each on a core of its own: what these two make together is what the
// machine has for two, whose cores may share a clock, caches, memory, or be two threads of one core.
// `node bench/fleet.mjs [--short] [--count 10000] [--parts 4] [--engines vlm,centre] [--keep]` after `npm run build`; needs
// redis-server. Exits with 1 where files or records differ.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { RunStore } from '../dist/src/fleet/run/run-store.js';
import {
  command,
  comparable,
  cores,
  cpuMsOf,
  differences,
  QueueServer,
  until,
  writeSmallPhotos,
} from './fleet-parts.mjs';
import { machineNow, median, round, writeResults } from './measuring.mjs';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    count: { type: 'string' },
    parts: { type: 'string' },
    engines: { type: 'string', default: 'vlm,centre' },
    port: { type: 'string', default: '7396' },
    keep: { type: 'boolean', default: false },
  },
});
const nPhotos = Number(values.count ?? (values.short ? 64 : 10_000));
const nParts = Number(values.parts ?? (values.short ? 2 : 4));
const engines = values.engines.split(',');
/** Longest that a run of a part may take before it counts as stuck. */
const STUCK_MS = 4 * 3_600_000;

const machine = machineNow();
const work = mkdtempSync(path.join(tmpdir(), 'framewright-fleet-'));
const usable = cores();
const WAYS = ['single', 'pair', 'one', 'two'];
/** Those that make the same files. */
const FLEETS = ['one', 'two'];
const at = (...names) => path.join(work, ...names);
const partOf = (part) => at('in', `part-${part}`);

/** The parts of the same length but for the last. */
const sizes = Array.from({ length: nParts }, (_, part) => {
  const [from, to] = [part, part + 1].map((each) => Math.floor((each * nPhotos) / nParts));
  return to - from;
});

/** What the fleet is asked for, of one process. */
function cropArgs(engine) {
  const one = ['--jobs', '1', '--threads', '1', '--gpu', 'cpu'];
  return ['--engine', engine, '-a', '4:5', '--recursive', '--json', ...one];
}

/** One process, from its first line to its last; a photo is as long as another. */
async function oneProcess(engine, { photos, out, core, n }) {
  const running = command([...cropArgs(engine), '-o', `${out}/`, photos], { core });
  let first = 0;
  let cpuAtFirst = 0;
  running.child.stdout.once('data', () => {
    first = performance.now();
    cpuAtFirst = cpuMsOf(running.pid);
  });
  const { code, stdout, stderr } = await running.ended;
  if (code !== 0) throw new Error(`the process ended with ${code}: ${stderr}`);
  const perPhoto = (ms) => ms / (n - 1);
  return {
    secondsPerPhoto: perPhoto(performance.now() - first) / 1000,
    cpuMs: { crop: perPhoto(running.own - cpuAtFirst) },
    lines: stdout.trimEnd().split('\n'),
  };
}

function single(engine, part) {
  const out = at(engine, 'single', String(part));
  return oneProcess(engine, { photos: partOf(part), out, core: usable[0], n: sizes[part] });
}

/** Two processes at once, on the first of the part's folders both. */
async function pair(engine, part) {
  const photos = path.join(partOf(part), '0000');
  const n = readdirSync(photos).length;
  const both = await Promise.all(
    [0, 1].map((i) => {
      const out = at(engine, 'pair', String(part), String(i));
      return oneProcess(engine, { photos, out, core: usable[i % usable.length], n });
    }),
  );
  return {
    secondsPerPhoto: 1 / both.reduce((sum, { secondsPerPhoto }) => sum + 1 / secondsPerPhoto, 0),
    cpuMs: { crop: (both[0].cpuMs.crop + both[1].cpuMs.crop) / 2 },
  };
}

/** A fleet, from its submission to its one journal; workers are ready before. */
async function fleet(engine, part, way) {
  const nWorkers = way === 'one' ? 1 : 2;
  const server = await new QueueServer(at('queue'), { port: Number(values.port) }).start();
  const redis = server.client();
  const env = { FRAMEWRIGHT_QUEUE: server.url };
  const workers = Array.from({ length: nWorkers }, (_, i) =>
    command(['fleet', 'work', '--engine', engine, '--jobs', '1', '--threads', '1', '--gpu', 'cpu'], {
      core: usable[i % usable.length],
      env,
    }),
  );
  try {
    await until(() => workers.every(({ stderr }) => stderr.includes('a worker for')), 'workers ready');
    const before = workers.map((worker) => {
      worker.look();
      return { own: worker.own, children: worker.children };
    });
    const serverBefore = cpuMsOf(server.pid);
    const start = performance.now();
    const out = at(engine, way, String(part));
    const run = `part-${part}`;
    const args = ['fleet', 'submit', '--engine', engine, '-a', '4:5', '--recursive', '--run', run];
    const submit = command([...args, '-o', `${out}/`, partOf(part)], { env });
    const submitted = submit.ended.then(({ code, stderr }) => {
      if (code !== 0) throw new Error(`submit ended with ${code}: ${stderr}`);
    });
    const store = new RunStore(redis);
    await Promise.race([
      until(async () => (await store.stateOf(run)) === 'merged', `${run} of ${engine}`, { mostMs: STUCK_MS }),
      submitted.then(() => new Promise(() => undefined)),
    ]);
    const ms = performance.now() - start;
    await submitted;
    const serverMs = cpuMsOf(server.pid) - serverBefore;
    for (const worker of workers) worker.look();
    const { nFailed } = await store.record(run);
    if (nFailed > 0) throw new Error(`${nFailed} photos of ${run} failed`);
    const n = sizes[part];
    const sum = (what) => workers.reduce((all, worker, i) => all + worker[what] - before[i][what], 0) / n;
    return {
      secondsPerPhoto: ms / 1000 / n,
      cpuMs: { crop: sum('children'), worker: sum('own'), server: serverMs / n, submit: submit.own / n },
    };
  } finally {
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ ended }) => ended));
    redis.disconnect();
    await server.stop();
  }
}

/** What `--resume` says of a folder that a fleet has filled, which has to be what the process said that made all of it. */
async function resumed(engine, way, part) {
  const { code, stdout, stderr } = await command([
    ...cropArgs(engine),
    ...['--resume', '-o', `${at(engine, way, String(part))}/`, partOf(part)],
  ]).ended;
  if (code !== 0) throw new Error(`--resume ended with ${code}: ${stderr}`);
  return stdout.trimEnd().split('\n');
}

async function measure(engine) {
  const seen = Object.fromEntries(WAYS.map((way) => [way, []]));
  const problems = [];
  for (let part = 0; part < nParts; part++) {
    // Back and forth, so that a machine that grows slower or faster favours none.
    for (const way of part % 2 ? WAYS.toReversed() : WAYS) {
      const found = await { single, pair, one: fleet, two: fleet }[way](engine, part, way);
      seen[way].push(found);
      console.log(
        `${engine}, part ${part + 1} of ${nParts}, ${way.padEnd(6)}: ${(60 / found.secondsPerPhoto).toFixed(1)} photos a minute`,
      );
    }
    const folder = (way) => at(engine, way, String(part));
    const { lines } = seen.single[part];
    for (const way of FLEETS) {
      problems.push(...differences(folder('single'), folder(way)).map((what) => `${engine}, ${way}: ${what}`));
      const said = (await resumed(engine, way, part)).map((line) => comparable(JSON.parse(line), folder(way)));
      const expected = lines.map((line) => comparable(JSON.parse(line), folder('single')));
      const nOther = expected.filter((line, i) => line !== said[i]).length + Math.abs(expected.length - said.length);
      if (nOther > 0) problems.push(`${engine}, ${way}: ${nOther} lines of --resume --json are others`);
    }
    if (!values.keep) for (const way of WAYS) rmSync(folder(way), { recursive: true });
  }
  const cpuMs = (way, what) => median(seen[way].map((found) => found.cpuMs[what] ?? 0));
  const ratio = (way, of) => seen[way].map((found, i) => seen[of][i].secondsPerPhoto / found.secondsPerPhoto);
  return {
    engine,
    nProblems: problems.length,
    problems: problems.slice(0, 20),
    photosPerMinute: Object.fromEntries(
      WAYS.map((way) => [way, round(60 / median(seen[way].map(({ secondsPerPhoto }) => secondsPerPhoto)), 1)]),
    ),
    twoToOneWorker: ratio('two', 'one').map((each) => round(each, 3)),
    twoProcessesToOne: ratio('pair', 'single').map((each) => round(each, 3)),
    oneWorkerToProcess: ratio('one', 'single').map((each) => round(each, 3)),
    twoWorkersToProcesses: ratio('two', 'pair').map((each) => round(each, 3)),
    cpuMsPerPhoto: {
      process: round(cpuMs('single', 'crop'), 2),
      ...Object.fromEntries(['crop', 'worker', 'server', 'submit'].map((what) => [what, round(cpuMs('one', what), 3)])),
    },
  };
}

try {
  for (const [part, size] of sizes.entries()) await writeSmallPhotos(partOf(part), size, { seed: part + 1 });
  const rows = [];
  for (const engine of engines) rows.push(await measure(engine));
  for (const row of rows) {
    const { worker, server, submit } = row.cpuMsPerPhoto;
    const nano = rows.find((each) => each.engine === 'vlm')?.cpuMsPerPhoto.process;
    row.queueMsPerPhoto = round(worker + server + submit, 3);
    if (nano !== undefined) row.queueShareOfNano = round(row.queueMsPerPhoto / nano, 4);
    console.log(`\n${row.engine}: ${JSON.stringify(row.photosPerMinute)} photos a minute`);
    console.log(
      `two workers to one: ${row.twoToOneWorker.join(', ')}; two processes to one: ${row.twoProcessesToOne.join(', ')}`,
    );
    console.log(
      `one worker to one process: ${row.oneWorkerToProcess.join(', ')}; two workers to two processes: ${row.twoWorkersToProcesses.join(', ')}`,
    );
    console.log(
      `CPU time of a photo: ${JSON.stringify(row.cpuMsPerPhoto)}; the queue's ${row.queueMsPerPhoto} ms, ${submit} of them for putting it in`,
    );
    if (nano !== undefined) console.log(`which is ${(100 * row.queueShareOfNano).toFixed(2)} % of the nano's time`);
    for (const problem of row.problems) console.error(problem);
  }
  const results = { ...machine(), nPhotos, nParts, coresPinned: Math.min(2, usable.length), rows };
  // Figures of a few photos are mostly those of processes starting.
  if (!values.short || process.env.FRAMEWRIGHT_BENCH_RESULTS !== undefined) writeResults('fleet', results);
  const nProblems = rows.reduce((sum, row) => sum + row.nProblems, 0);
  console.log(nProblems === 0 ? 'the same files, records and lines' : `${nProblems} differences`);
  process.exitCode = nProblems === 0 ? 0 : 1;
} finally {
  if (values.keep) console.log(work);
  else rmSync(work, { recursive: true });
}
