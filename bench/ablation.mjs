// What an ablation of six variants costs against one full run over the same photos, both through the evaluation.
// `node bench/ablation.mjs [--photos folder] [--count 50] [--model nano]` after `npm run build`.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';
import { photoSize } from '../dist/src/eval/datasets/photos.js';
import { vlmMethods } from '../dist/src/eval/methods/vlm.js';
import { runEvaluation } from '../dist/src/eval/run.js';
import { planVariants } from '../dist/src/eval/variants.js';
import { STAGES } from '../dist/src/base/stages.js';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    photos: { type: 'string', default: path.join(root, 'examples', 'photos') },
    count: { type: 'string', default: '50' },
    model: { type: 'string', default: 'nano' },
  },
});

const files = readdirSync(values.photos).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
if (files.length === 0) throw new Error(`no photos in ${values.photos}`);
const photos = await Promise.all(
  Array.from({ length: Number(values.count) }, async (_, i) => {
    const file = path.join(values.photos, files[i % files.length]);
    const size = await photoSize(file);
    return {
      id: `${i} ${path.basename(file)}`,
      path: file,
      split: undefined,
      size,
      boxes: [[0, 0, size.width, size.height]],
    };
  }),
);
const dataset = { kind: 'boxes', name: 'bench', folder: values.photos, photos, missing: [], repairs: [] };
const [{ variants }] = planVariants({
  kind: 'boxes',
  model: values.model,
  candidates: 5,
  votes: 1,
  imageTokens: 0,
  adapters: [{ name: 'vlm', loras: [] }],
  stages: STAGES,
  sweeps: [{ parameter: 'candidates', values: [8] }],
});

const cropper = await openCropper({ model: values.model, gpu: 'cpu', parallel: 2 });
await cost(variants, 1); // what the first photo alone pays for
const whole = await cost(variants.slice(0, 1));
const ablation = await cost(variants);
await cropper.dispose();

const ratio = Object.fromEntries(Object.keys(whole).map((name) => [name, round(ablation[name] / whole[name])]));
const report = {
  date: new Date().toISOString(),
  cpu: cpus()[0].model,
  model: values.model,
  nPhotos: photos.length,
  variants: variants.map(({ name }) => name),
  whole,
  ablation,
  ratio,
};
mkdirSync(path.join(root, 'bench', 'results'), { recursive: true });
writeFileSync(path.join(root, 'bench', 'results', 'ablation.json'), `${JSON.stringify(report, null, 2)}\n`);
console.table({ whole, [`${variants.length} variants`]: ablation, ratio });

async function cost(asked, limit = Infinity) {
  const methods = await vlmMethods(cropper, asked);
  const [before, cpuBefore, start] = [cropper.counters(), process.cpuUsage(), performance.now()];
  const { outcomes } = await runEvaluation(dataset, methods, { limit });
  const [wallMs, cpu, after] = [performance.now() - start, process.cpuUsage(cpuBefore), cropper.counters()];
  const failed = outcomes.flat().find(({ prediction }) => 'unusable' in prediction);
  if (failed) throw new Error(failed.prediction.unusable);
  return {
    cpuSeconds: round((cpu.user + cpu.system) / 1e6),
    wallSeconds: round(wallMs / 1e3),
    decodeCalls: after.nDecodeCalls - before.nDecodeCalls,
    tokensDecoded: after.nTokensDecoded - before.nTokensDecoded,
    tokensDecided: after.nDecided - before.nDecided,
    encodeSeconds: round((after.encodeMs - before.encodeMs) / 1e3),
  };
}

function round(value) {
  return Math.round(value * 100) / 100;
}
