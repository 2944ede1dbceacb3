// Several photos at once against one after the other: photos a minute, with and without encoding ahead, each setting in
// turn, several rounds. `node bench/batch.mjs [--model nano] [--photos folder] [--count 40] [--jobs 1,2,4,8]
// [--threads n] [--gpu cpu] [--rounds 3]` after `npm run build`.
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';
import { earlierResults, machineNow, median, photosOf, round, writeResults } from './measuring.mjs';

const { values } = parseArgs({
  options: {
    photos: { type: 'string' },
    count: { type: 'string', default: '40' },
    model: { type: 'string', default: 'nano' },
    jobs: { type: 'string', default: '1,2,4,8' },
    threads: { type: 'string' },
    gpu: { type: 'string', default: 'cpu' },
    rounds: { type: 'string', default: '3' },
    name: { type: 'string' },
  },
});

const photos = photosOf(values.photos, Number(values.count));
const machine = machineNow();
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
  photosPerMinute: round(perMinute(run), 2),
  against1: round(perMinute(run) / base, 2),
  cpuSecondsPerPhoto: round(median(run.rounds.map(({ cpuSeconds }) => cpuSeconds)) / photos.length, 2),
  decodeCallsPerPhoto: round(run.rounds[0].decodeCalls / photos.length, 2),
  sameCrops: run.rounds[0].crops.filter((crop, i) => crop === runs[0].rounds[0].crops[i]).length,
}));
console.table(table);

const entry = {
  ...machine(),
  devices,
  threads: values.threads ? Number(values.threads) : 'default',
  nPhotos: photos.length,
  rounds: Number(values.rounds),
  table,
};
writeResults('batch', { ...earlierResults('batch'), [values.name ?? values.model]: entry });

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
