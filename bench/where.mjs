// Where the time of a photo goes, by the bundled model alone on one thread: reading the file, the vision tower, the
// language model's calls by kind, JavaScript and its garbage. Free crops and crops of a ratio, on the best CPU variant and on
// one of another instruction set. CPU time, so that other work on the machine changes little; each photo counts with the
// least of several rounds. Writes the table of docs/performance.md. Linux. `node bench/where.mjs [--photos folder] [--count 10] [--rounds 5]
// [--variants icelake,haswell]` after `npm run build`.
import { execFileSync } from 'node:child_process';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';
import { chooseVariants } from '../scripts/choose-variants.mjs';
import { machineNow, photosOf, round, writeResults, writeTable } from './measuring.mjs';
import { threadTimes } from './thread-times.mjs';

const { values } = parseArgs({
  options: {
    photos: { type: 'string' },
    count: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    variants: { type: 'string' },
    'in-variant': { type: 'boolean', default: false },
  },
});
const ASKED = { 'free form': {}, 'at 4:5': { aspect: '4:5' } };
/** In the order they are shown. */
const PARTS = {
  file: 'reading, scaling and drawing (libvips)',
  encode: 'vision tower, two images',
  image: 'prefill, images',
  text: 'prompts, and decode calls of several tokens',
  steps: 'decode calls of one token',
  read: 'log-probabilities and scores',
  script: 'JavaScript',
  garbage: 'garbage collection',
};

if (values['in-variant']) console.log(JSON.stringify(await measure()));
else await compareVariants();

async function compareVariants() {
  const { best, others } = await chooseVariants();
  const variants = values.variants?.split(',') ?? [best, others[0]].filter((name) => name !== undefined);
  const measured = variants.map((variant) => {
    const args = [import.meta.filename, '--in-variant', ...process.argv.slice(2)];
    const env = { ...process.env, FRAMEWRIGHT_CPU: variant };
    return { variant, ...JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' })) };
  });
  const results = { rounds: Number(values.rounds), variants: measured };
  writeResults('where', results);
  const text = tableOf(results);
  writeTable('where', text);
  console.log(text);
}

async function measure() {
  const machine = machineNow();
  const photos = photosOf(values.photos, Number(values.count));
  const cropper = await openCropper({ gpu: 'cpu', threads: 1 });
  const collections = [];
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  const result = { asked: {} };
  try {
    for (const wishes of Object.values(ASKED)) await cropper.crop(photos[0], wishes);
    const runs = Object.fromEntries(Object.keys(ASKED).map((asked) => [asked, photos.map(() => [])]));
    for (let i = 0; i < Number(values.rounds); i++)
      for (const [k, photo] of photos.entries())
        for (const [asked, wishes] of Object.entries(ASKED))
          runs[asked][k].push(await onePhoto(cropper, photo, wishes));
    await setTimeout(50); // the observer is told of collections some time after them
    for (const [asked, each] of Object.entries(runs)) {
      const fastest = each.map((tries) => tries.reduce((best, one) => (one.ms < best.ms ? one : best)));
      result.asked[asked] = meanOf(fastest.map((run) => partsOf(run, collections)));
    }
  } finally {
    observer.disconnect();
    await cropper.dispose();
  }
  return { ...machine(), ...result };
}

async function onePhoto(cropper, photo, wishes) {
  const [before, threadsBefore, start] = [cropper.counters(), threadTimes(), performance.now()];
  await cropper.crop(photo, wishes);
  const [after, threadsAfter, end] = [cropper.counters(), threadTimes(), performance.now()];
  const cpu = differences(threadsAfter, threadsBefore);
  const ms = Object.values(cpu).reduce((sum, part) => sum + part, 0);
  return { start, end, ms, cpu, counted: differences(after, before) };
}

function differences(after, before) {
  return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
}

/** Milliseconds of CPU time of each part. That of the language model's thread is divided as its time on the clock was. */
function partsOf({ start, end, ms, cpu, counted }, collections) {
  const garbage = collections
    .filter(({ startTime }) => startTime >= start && startTime < end)
    .reduce((sum, { duration }) => sum + duration, 0);
  const { decodeMs, imageMs, stepMs, readMs } = counted;
  const shareOf = (part) => (cpu.language * part) / (decodeMs + readMs);
  return {
    file: cpu.others,
    encode: cpu.vision,
    image: shareOf(imageMs),
    text: shareOf(decodeMs - imageMs - stepMs),
    steps: shareOf(stepMs),
    read: shareOf(readMs),
    script: Math.max(0, cpu.script - garbage),
    garbage,
    ms,
    wallMs: end - start,
    nDecodeCalls: counted.nDecodeCalls,
    nTokens: counted.nTokensDecoded,
  };
}

function meanOf(list) {
  const names = Object.keys(list[0]);
  return Object.fromEntries(
    names.map((name) => [name, round(list.reduce((sum, each) => sum + each[name], 0) / list.length, 2)]),
  );
}

function tableOf({ rounds, variants }) {
  const [{ cpu, cores }] = variants;
  const columns = variants.flatMap(({ variant, asked }) =>
    Object.entries(asked).map(([name, parts]) => ({ title: `${variant}, ${name}`, parts })),
  );
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const share = (part, { ms }) => `${part.toFixed(1)} ms, ${((100 * part) / ms).toFixed(0)} %`;
  const busy = variants.map(({ coresBusyWithOthers }) => coresBusyWithOthers.toFixed(1)).join(' and ');
  const others = `${busy} of ${cores} processors busy with other work`;
  return [
    `CPU time of a photo by the bundled model on one thread of an ${cpu}, ${others}; the least of ${rounds} rounds (\`npm run bench -- where\`):`,
    '',
    row(['of a photo', ...columns.map(({ title }) => title)]),
    row(['---', ...columns.map(() => '---')]),
    ...Object.entries(PARTS).map(([part, title]) =>
      row([title, ...columns.map(({ parts }) => share(parts[part], parts))]),
    ),
    row(['all of it', ...columns.map(({ parts }) => `${parts.ms.toFixed(1)} ms`)]),
    row(['decode calls, tokens in them', ...columns.map(({ parts }) => `${parts.nDecodeCalls}, ${parts.nTokens}`)]),
  ].join('\n');
}
