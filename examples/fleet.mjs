// Puts a folder of photos into a queue and works on them, as other machines may too: the crops, and one journal of all.
// npm install framewright bullmq ioredis, then, with a Redis or Valkey server,
//   QUEUE=redis://127.0.0.1:6379 node fleet.mjs photos/ crops/
import { fleetStatus, startWorker, submitRun } from 'framewright';
import path from 'node:path';

const [photos, crops] = process.argv.slice(2).map((folder) => path.resolve(folder)); // the same on all machines
const queue = process.env.QUEUE ?? 'redis://127.0.0.1:6379';
const cropper = { engine: process.env.ENGINE ?? 'vlm' };

const { run, nPhotos, nEarlier } = await submitRun(
  { queue, inputs: [photos], recursive: true, output: crops, aspects: ['4:5'], cropper },
  { onNote: (text) => console.error(text) },
);
console.log(`${nPhotos} photos, ${nEarlier} done earlier`);

let tell; // resolves once the run has ended
const isMerged = new Promise((resolve) => (tell = resolve));
const worker = await startWorker(
  { queue, cropper },
  {
    onFailure: ({ photo, message }) => console.error(`${path.basename(photo)}: ${message}`),
    onMerged: (merged) => merged === run && tell(),
  },
);
process.once('SIGTERM', () => worker.close()); // finishes the photo in hand, hands back the rest
await Promise.race([isMerged, worker.ended]);
await worker.close();

const { runs } = await fleetStatus({ queue, run });
console.log(`${runs[0].nDone} of ${runs[0].nPhotos} photos are cropped, ${runs[0].nFailed} failed`);
