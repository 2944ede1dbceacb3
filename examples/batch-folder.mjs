// Crops a folder of photos into another and goes on where an earlier run has stopped; Ctrl-C finishes the photo in hand.
// npm install framewright, then
//   node batch-folder.mjs photos/ crops/
import { runBatch } from 'framewright';
import path from 'node:path';

const [photos, crops] = process.argv.slice(2);
const noMore = new AbortController();
process.once('SIGINT', () => noMore.abort());

const { nDone, nTotal, failures } = await runBatch(
  {
    inputs: [photos],
    recursive: true,
    output: path.join(crops, path.sep), // a folder, even for a single photo
    aspects: ['4:5'],
    cropper: { engine: process.env.ENGINE ?? 'vlm' },
    resume: true,
    noMore: noMore.signal,
  },
  {
    onNote: ({ text }) => console.error(text),
    onPhoto: ({ results, isEarlier }) => {
      if (!isEarlier) console.log(results[0].output.join(' '));
    },
    onFailure: ({ input, error }) => console.error(`${input}: ${error.message}`),
    onProgress: (progress) => console.log(`${progress.nDone} of ${progress.nTotal}`),
  },
);
console.log(`${nDone} of ${nTotal} photos are cropped, ${failures.length} failed`);
