// Photos over several threads, a cropper in each; prints a JSON line a photo. npm install framewright, then
//   node worker-pool.mjs photos/*.jpg
import { openCropper } from 'framewright';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

if (isMainThread) {
  const photos = process.argv.slice(2);
  const nWorkers = Math.min(photos.length, Number(process.env.WORKERS ?? availableParallelism()));
  await Promise.all(Array.from({ length: nWorkers }, () => runWorker(photos)));
} else {
  // One thread a cropper, since there is one cropper a core.
  const cropper = await openCropper({ engine: process.env.ENGINE ?? 'vlm', threads: 1 });
  parentPort.on('message', async (photo) => {
    if (photo === undefined) {
      await cropper.dispose();
      parentPort.close();
      return;
    }
    const answer = await cropper.crop(photo, { aspect: '4:5' }).then(
      ({ crop }) => ({ photo, crop }),
      ({ code, message }) => ({ photo, error: { code, message } }),
    );
    parentPort.postMessage(answer);
  });
}

/** Hands a worker one photo after the other until there are none; a photo that fails is an answer too. */
function runWorker(photos) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url));
    worker.on('message', (answer) => {
      console.log(JSON.stringify(answer));
      worker.postMessage(photos.shift());
    });
    worker.on('error', reject).on('exit', resolve);
    worker.postMessage(photos.shift());
  });
}
