// How long an aborted crop, or an aborted opening, takes to reject: at many moments of each stage.
// `node bench/abort.mjs [--model file.gguf] [--times 100]` after `npm run build`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';

const { values } = parseArgs({
  options: { model: { type: 'string', default: 'nano' }, times: { type: 'string', default: '100' } },
});
const nTimes = Number(values.times);
const photo = path.resolve(import.meta.dirname, '..', 'examples', 'photos', 'mountains.jpg');
const options = { model: values.model, gpu: 'cpu' };
const cropper = await openCropper(options);
const start = performance.now();
await cropper.crop(photo);
const wholeMs = performance.now() - start;

const byStage = {};
for (let i = 0; i < nTimes; i++) {
  let stage = 'decode';
  const controller = new AbortController();
  const latency = rejection(
    (signal) => cropper.crop(photo, { signal, onProgress: (name) => (stage = name) }),
    controller,
  );
  setTimeout(() => controller.abort(new Error('enough')), (wholeMs * i) / nTimes);
  const ms = await latency;
  if (ms !== undefined) (byStage[stage] ??= []).push(ms);
}
await cropper.dispose();
for (let i = 0; i < 20; i++) {
  const controller = new AbortController();
  const latency = rejection(async (signal) => (await openCropper({ ...options, signal })).dispose(), controller);
  setTimeout(() => controller.abort(new Error('enough')), 2 * i);
  const ms = await latency;
  if (ms !== undefined) (byStage.loading ??= []).push(ms);
}
for (const [stage, list] of Object.entries(byStage)) {
  const sorted = list.toSorted((a, b) => a - b);
  console.log(
    `${stage.padEnd(8)} ${String(list.length).padStart(3)} aborts: median ${sorted[Math.floor(list.length / 2)].toFixed(1)} ms, greatest ${sorted.at(-1).toFixed(1)} ms`,
  );
}

/** Milliseconds from the abort to the rejection; undefined where the work was done before. */
async function rejection(work, controller) {
  let abortedAt;
  controller.signal.addEventListener('abort', () => (abortedAt = performance.now()));
  try {
    await work(controller.signal);
    return undefined;
  } catch (error) {
    if (error !== controller.signal.reason) throw error;
    return performance.now() - abortedAt;
  }
}
