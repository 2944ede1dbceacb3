// How far answers to the same question lie apart when the cache or the batch is in another state, on every CPU variant this
// machine executes: the figures of docs/reproducibility.md. `node bench/reproducibility.mjs` after `npm run build`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { writeToyPair } from '../dist/gguf/index.js';
import { openCropper } from '../dist/src/index.js';
import { loadBinding } from '../dist/src/runtime/binding.js';

const root = path.resolve(import.meta.dirname, '..');
const PHOTOS = ['dogs', 'pagoda', 'dandelion', 'mountains'].map((name) =>
  path.join(root, 'examples', 'photos', `${name}.jpg`),
);
const VARIANT_ARGUMENT = '--in-variant';

/** Boxes of several sizes and places. */
function boxesOf({ widthPx, heightPx }) {
  return [
    [0, 0, 1, 1],
    [0.1, 0.1, 0.6, 0.6],
    [0.3, 0.2, 0.5, 0.7],
    [0.05, 0.3, 0.9, 0.6],
  ].map(([x, y, width, height]) => ({
    x: Math.floor(x * widthPx),
    y: Math.floor(y * heightPx),
    width: Math.floor(width * widthPx),
    height: Math.floor(height * heightPx),
  }));
}

const greatest = (values) => values.reduce((most, value) => Math.max(most, value), 0);
const apart = (some, others) => greatest(some.map((value, i) => Math.abs(value - others[i])));
const scoresOf = ({ candidates }) => candidates.map(({ modelScore }) => modelScore);
const boxesIn = ({ candidates }) => candidates.map(({ box }) => box.join()).join(' ');

/** Nats between log-likelihoods, and probability between scores of the same candidates. */
async function measure({ photos, candidates, ...options }) {
  const asked = PHOTOS.slice(0, photos);
  const nats = [];
  const probabilities = [];
  const likelihoods = [];
  const scores = [];
  let nCrops = 0;
  let nOtherBoxes = 0;
  const compare = (crop, other) => {
    nCrops++;
    if (boxesIn(crop) !== boxesIn(other)) nOtherBoxes++;
    else probabilities.push(apart(scoresOf(crop), scoresOf(other)));
  };
  const cropper = await openCropper({ gpu: 'cpu', threads: 1, parallel: 6, ...options });
  const alone = [];
  for (const photo of asked) {
    const whole = await cropper.crop(photo, { candidates });
    alone.push(whole);
    scores.push(scoresOf(whole));
    const held = await cropper.hold(photo);
    const boxes = boxesOf(held);
    // Held and not; alone and with other boxes; first and after other questions.
    const first = await held.rank(boxes);
    likelihoods.push(first);
    nats.push(apart(first, await cropper.rank(photo, boxes)));
    for (const [i, box] of boxes.entries()) nats.push(apart([first[i]], await cropper.rank(photo, [box])));
    await held.rank(boxes.slice(0, 2), { without: ['analysis'] });
    compare(whole, await held.crop({ candidates }));
    for (const votes of [2, 3])
      compare(await cropper.crop(photo, { candidates, votes }), await held.crop({ candidates, votes }));
    nats.push(apart(first, (await held.rank([...boxes].reverse())).reverse()));
    const later = await cropper.hold(photo);
    await later.crop({ candidates, without: ['analysis'], votes: 3 });
    nats.push(apart(first, await later.rank(boxes)));
    for (const each of [held, later]) await each[Symbol.asyncDispose]();
  }
  let i = 0;
  for await (const crop of cropper.cropAll(asked, { candidates })) compare(alone[i++], crop);
  await cropper.dispose();
  return { nats: greatest(nats), probability: greatest(probabilities), nCrops, nOtherBoxes, likelihoods, scores };
}

if (process.argv[2] === VARIANT_ARGUMENT) {
  console.log(JSON.stringify(await measure(JSON.parse(process.argv[3]))));
} else {
  const { cpuVariants } = await loadBinding({ gpu: 'cpu' });
  const variants = cpuVariants()
    .filter(({ isExecutable }) => isExecutable)
    .map(({ name }) => name);
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-reproducibility-'));
  try {
    const { textPath } = await writeToyPair(folder, { seed: 3 });
    const models = {
      'toy, F32': { model: textPath, imageTokens: 64, photos: 1, candidates: 2 },
      'toy, F32, cache F32': { model: textPath, imageTokens: 64, kvType: 'f32', photos: 1, candidates: 2 },
      'nano, quantised': { model: 'nano', photos: 2, candidates: 5 },
    };
    const results = {};
    for (const [name, options] of Object.entries(models)) {
      const measured = variants.map((variant) => {
        const out = execFileSync(process.execPath, [process.argv[1], VARIANT_ARGUMENT, JSON.stringify(options)], {
          env: { ...process.env, FRAMEWRIGHT_CPU: variant },
          encoding: 'utf8',
          maxBuffer: 2 ** 26,
        });
        return { variant, ...JSON.parse(out) };
      });
      const [best] = measured;
      results[name] = Object.fromEntries(
        measured.map(({ variant, likelihoods, scores, ...within }) => [
          variant,
          {
            ...within,
            natsFromBest: greatest(likelihoods.map((values, i) => apart(values, best.likelihoods[i]))),
            probabilityFromBest: greatest(scores.map((values, i) => apart(values, best.scores[i]))),
          },
        ]),
      );
      console.error(name, results[name]);
    }
    const summary = { date: new Date().toISOString().slice(0, 10), cpu: cpus()[0].model, results };
    mkdirSync(path.join(root, 'bench', 'results'), { recursive: true });
    writeFileSync(path.join(root, 'bench', 'results', 'reproducibility.json'), `${JSON.stringify(summary, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
