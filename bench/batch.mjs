// Several photos at once against one after the other: photos a minute, with and without encoding ahead, each setting in
// turn, several rounds. `node bench/batch.mjs [--model nano] [--photos folder] [--count 40] [--jobs 1,2,4,8]
// [--threads n] [--gpu cpu] [--rounds 3]` after `npm run build`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    photos: { type: 'string', default: path.join(root, 'examples', 'photos') },
    count: { type: 'string', default: '40' },
    model: { type: 'string', default: 'nano' },
    jobs: { type: 'string', default: '1,2,4,8' },
    threads: { type: 'string' },
    gpu: { type: 'string', default: 'cpu' },
    rounds: { type: 'string', default: '3' },
    name: { type: 'string' },
  },
});

const files = readdirSync(values.photos).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
if (files.length === 0) throw new Error(`no photos in ${values.photos}`);
const photos = Array.from({ length: Number(values.count) }, (_, i) =>
  path.join(values.photos, files[i % files.length]),
);
const settings = values.jobs
  .split(',')
  .flatMap((jobs) => [false, true].map((encodeAhead) => ({ parallel: Number(jobs), encodeAhead })));

const runs = settings.map((setting) => ({ setting, rounds: [] }));
let devices = [];
for (let round = 0; round < Number(values.rounds); round++) {
  // Back and forth, so that a machine that grows slower or faster favours none.
  for (const run of round % 2 ? runs.toReversed() : runs) {
    const cropper = await openCropper({
      model: values.model,
      gpu: values.gpu,
      ...run.setting,
      ...(values.threads ? { threads: Number(values.threads) } : {}),
    });
    devices = cropper.runtimeInfo.devices.map(({ description }) => description);
    run.rounds.push(await measure(cropper));
    await cropper.dispose();
  }
}

const perMinute = ({ rounds }) => median(rounds.map(({ seconds }) => (60 * photos.length) / seconds));
const base = perMinute(runs[0]);
const table = runs.map((run) => ({
  jobs: run.setting.parallel,
  encodeAhead: run.setting.encodeAhead,
  photosPerMinute: round2(perMinute(run)),
  against1: round2(perMinute(run) / base),
  cpuSecondsPerPhoto: round2(median(run.rounds.map(({ cpuSeconds }) => cpuSeconds)) / photos.length),
  decodeCallsPerPhoto: round2(run.rounds[0].decodeCalls / photos.length),
  sameCrops: run.rounds[0].crops.filter((crop, i) => crop === runs[0].rounds[0].crops[i]).length,
}));
console.table(table);

const file = path.join(root, 'bench', 'results', 'batch.json');
mkdirSync(path.dirname(file), { recursive: true });
const earlier = read(file);
const name = values.name ?? values.model;
const entry = {
  date: new Date().toISOString(),
  cpu: cpus()[0].model,
  devices,
  threads: values.threads ? Number(values.threads) : 'default',
  nPhotos: photos.length,
  rounds: Number(values.rounds),
  table,
};
writeFileSync(file, `${JSON.stringify({ ...earlier, [name]: entry }, null, 2)}\n`);

async function measure(cropper) {
  for (const photo of photos.slice(0, 2)) await cropper.crop(photo); // what the first photos alone pay for
  const [before, cpuBefore, start] = [cropper.counters(), process.cpuUsage(), performance.now()];
  const crops = [];
  for await (const { crop } of cropper.cropAll(photos)) crops.push(JSON.stringify(crop));
  const cpu = process.cpuUsage(cpuBefore);
  return {
    seconds: (performance.now() - start) / 1e3,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    decodeCalls: cropper.counters().nDecodeCalls - before.nDecodeCalls,
    crops,
  };
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function round2(value) {
  return Math.round(value * 100) / 100;
}
