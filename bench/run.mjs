// Every figure of speed and memory in README.md and docs/performance.md, and how the studio bears a large folder, each by
// its script in turn, and at the end their ratios together with how busy the machine was.
// `npm run bench [-- [--short] [name ...]]`, the names those of BENCHES; --short takes minutes instead of most of an hour
// and leaves bench/results and the pages as they are.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CHROMIUM, machineNow, resultsFolder, root, round } from './measuring.mjs';

const percent = (part, whole) => `${((100 * part) / whole).toFixed(0)} %`;

/** Arguments of the whole and of the short way, what it lacks here to run at all, and what its results come to, a line each. */
const BENCHES = {
  photos: {
    short: ['--rounds', '1', '--models', 'tiny'],
    lines: ({ rows }) =>
      rows.flatMap(({ model, perMinute, ratios }) =>
        Object.entries(ratios).map(
          ([way, list]) =>
            `${model}: ${way} ${round(perMinute[way], 1)} photos a minute, by round ${list.map((each) => each.toFixed(2)).join(', ')} times the fastest peer`,
        ),
      ),
  },
  where: {
    short: ['--count', '4', '--rounds', '2'],
    lines: ({ variants }) =>
      variants.flatMap(({ variant, asked }) =>
        Object.entries(asked).map(
          ([name, parts]) =>
            `${variant}, ${name}: ${parts.ms} ms a photo; vision tower ${percent(parts.encode, parts.ms)}, text ${percent(parts.text + parts.steps, parts.ms)}, JavaScript and garbage ${percent(parts.script + parts.garbage, parts.ms)}`,
        ),
      ),
  },
  calls: {
    short: ['--models', 'nano', '--calls', '40'],
    lines: ({ rows }) =>
      rows.map(({ model, nTokens, languageMs }) => {
        const one = rows.find((row) => row.model === model && row.nTokens === 1).languageMs;
        return `${model}: a call of ${nTokens} takes ${(languageMs / one).toFixed(2)} times the CPU time of a call of 1`;
      }),
  },
  jobs: {
    short: ['--models', 'nano', '--engines', 'rules', '--count', '40', '--rounds', '1'],
    lines: ({ rows }) =>
      rows.map(
        ({ name, 2: two, auto }) =>
          `${name}: --jobs auto ${auto.against1} times --jobs 1 (results ${auto.sameResults ? 'the same' : 'OTHERS'}), --jobs 2 ${two.against1} times`,
      ),
  },
  batch: {
    short: ['--count', '10', '--jobs', '1,2', '--rounds', '1'],
    lines: (models) =>
      Object.entries(models).flatMap(([model, { table }]) =>
        table.map(
          ({ jobs, encodeAhead, against1, sameCrops }) =>
            `${model}: ${jobs} sharing batches${encodeAhead ? ', encoding ahead' : ''}: ${against1} times 1 without; ${sameCrops} crops the same`,
        ),
      ),
  },
  busy: {
    short: ['--models', 'nano', '--loads', 'idle,one loop', '--rounds', '1', '--seconds', '5'],
    whole: ['--models', '300m', '--loads', 'idle,one loop,two loops'],
    lines: ({ rows }) =>
      rows.map(
        ({ model, load, toOneThread, toOneACore }) =>
          `${model}, ${load}: by itself ${toOneThread.toFixed(2)} of one thread, ${toOneACore.toFixed(2)} of one a core`,
      ),
  },
  memory: {
    short: ['--photos', '100'],
    lines: ({ nPhotos, morePercent }) => [`${nPhotos} photos: ${morePercent} % more memory at the end than after 50`],
  },
  studio: {
    short: ['--photos', '200'],
    lacks: () => (existsSync(CHROMIUM) ? undefined : 'Chromium, which CHROMIUM may name'),
    lines: ({ nPhotos, picturesMs, scrolls }) => [
      `${nPhotos} photos of 12 megapixels: the first screen after ${picturesMs} ms`,
      ...scrolls.map(
        ({ framesPerSecond, nLate, nFrames, serverMb }) =>
          `scrolling: ${framesPerSecond} frames a second, ${nLate} of ${nFrames} over 40 ms; the server holds ${serverMb} MB`,
      ),
    ],
  },
  fleet: {
    short: ['--short'],
    // All 10,000 take hours: node bench/fleet.mjs
    whole: ['--count', '600'],
    lines: ({ nPhotos, rows }) =>
      rows.map(
        ({ engine, nProblems, twoToOneWorker, queueMsPerPhoto, queueShareOfNano }) =>
          `${engine}, ${nPhotos} photos: two workers ${twoToOneWorker.join(', ')} times one; the queue takes ${queueMsPerPhoto} ms of CPU time a photo${queueShareOfNano === undefined ? '' : `, ${percent(queueShareOfNano, 1)} of the nano's`}; ${nProblems} differences from one process`,
      ),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false } },
});
const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined)
  throw new Error(`no bench is called ${unknown}; there are ${Object.keys(BENCHES).join(', ')}`);
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);

const peer = path.join(import.meta.dirname, 'node_modules');
if (names.includes('photos') && !existsSync(peer))
  call('npm', ['ci', '--prefix', import.meta.dirname, '--ignore-scripts']);
if (values.short) {
  process.env.FRAMEWRIGHT_BENCH_RESULTS = path.join(root, 'build', 'bench');
  mkdirSync(resultsFolder(), { recursive: true });
}

const machine = machineNow();
const summary = [];
let nFailed = 0;
for (const name of names) {
  const { short, whole = [], lacks, lines } = BENCHES[name];
  console.log(`\n== ${name}`);
  const lacking = lacks?.();
  if (lacking !== undefined) {
    summary.push(`${name.padEnd(7)} not run: it needs ${lacking}`);
    continue;
  }
  const start = performance.now();
  if (call(process.execPath, [path.join(import.meta.dirname, `${name}.mjs`), ...(values.short ? short : whole)])) {
    const results = JSON.parse(readFileSync(path.join(resultsFolder(), `${name}.json`), 'utf8'));
    summary.push(...lines(results).map((line) => `${name.padEnd(7)} ${line}`));
  } else {
    nFailed++;
    summary.push(`${name.padEnd(7)} FAILED`);
  }
  console.log(`(${((performance.now() - start) / 1000).toFixed(0)} s)`);
}
const { cpu, cores, loadAtStart, loadAtEnd } = machine();
console.log(`\n== all together\n${summary.join('\n')}`);
console.log(`on ${cores} processors (${cpu}); load ${loadAtStart} at the start and ${loadAtEnd} at the end`);
if (loadAtStart > 0.5)
  console.log('The machine was not idle when this began: wall-clock figures are those of a busy one.');
process.exitCode = nFailed > 0 ? 1 : 0;

function call(program, args) {
  return spawnSync(program, args, { stdio: 'inherit' }).status === 0;
}
