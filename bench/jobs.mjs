// What `--jobs auto` finds against fixed numbers of photos at once: photos a minute and CPU time a photo of the library's
// cropEach over a folder, each way in turn, several rounds, and whether the results are the same to the byte.
// `node bench/jobs.mjs [--models nano,300m] [--engines rules,saliency,centre] [--photos folder] [--count 60]
// [--rounds 3]` after `npm run build`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';
import { machineNow, median, photosOf, round, writeResults } from './measuring.mjs';
import { writeModel } from './models.mjs';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'nano,300m' },
    engines: { type: 'string', default: 'rules,saliency,centre' },
    photos: { type: 'string' },
    count: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
  },
});
const WAYS = { 1: { parallel: 1 }, 2: { parallel: 2 }, auto: { parallel: 'auto' } };
/** The larger random model takes seconds a photo. */
const SHARE_OF_PHOTOS = { '300m': 0.15 };

const listOf = (text) => text.split(',').filter((name) => name !== '');
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-jobs-'));
const machine = machineNow();
const rows = [];
try {
  for (const model of listOf(values.models)) {
    const file = model === 'nano' ? model : path.join(folder, model);
    if (model !== 'nano') await writeModel(file, model);
    rows.push(await measure(model, { model: file, gpu: 'cpu' }));
  }
  for (const engine of listOf(values.engines)) rows.push(await measure(engine, { engine }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeResults('jobs', { ...machine(), rounds: Number(values.rounds), rows });

async function measure(name, options) {
  const photos = photosOf(values.photos, Math.ceil(Number(values.count) * (SHARE_OF_PHOTOS[name] ?? 1)));
  const runs = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let i = 0; i < Number(values.rounds); i++)
    for (const [way, own] of Object.entries(WAYS)) runs[way].push(await oneRun({ ...options, ...own }, photos));
  const [one] = runs[1];
  const row = { name, nPhotos: photos.length };
  for (const [way, list] of Object.entries(runs)) {
    // Round by round, so that a machine that grows slower or faster favours none.
    const ratios = list.map(({ seconds }, i) => runs[1][i].seconds / seconds);
    const cpu = median(list.map(({ cpuSeconds }) => cpuSeconds / photos.length));
    row[way] = {
      photosPerMinute: round((60 * photos.length) / median(list.map(({ seconds }) => seconds)), 1),
      against1: round(median(ratios), 2),
      byRound: ratios.map((ratio) => round(ratio, 2)),
      cpuMsAPhoto: round(1000 * cpu, 1),
      sameResults: list.every(({ results }) => results.every((result, k) => result === one.results[k])),
    };
    const { photosPerMinute, against1, byRound, cpuMsAPhoto, sameResults } = row[way];
    console.log(
      `${name.padEnd(9)} ${way.padEnd(5)} ${String(photosPerMinute).padStart(7)} photos a minute, ${against1} times 1 ` +
        `(${byRound.join(', ')}), ${cpuMsAPhoto} ms of CPU a photo, results ${sameResults ? 'the same' : 'others'}`,
    );
  }
  return row;
}

async function oneRun(options, photos) {
  const cropper = await openCropper(options);
  try {
    await cropper.crop(photos[0]);
    const [start, cpuBefore] = [performance.now(), process.cpuUsage()];
    const results = [];
    for await (const result of cropper.cropAll(photos))
      results.push(JSON.stringify({ ...result, timingsMs: undefined }));
    const { user, system } = process.cpuUsage(cpuBefore);
    return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6, results };
  } finally {
    await cropper.dispose();
  }
}
