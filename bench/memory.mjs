// Resident memory over many crops in one process: does it grow with the number of photos?
// `node bench/memory.mjs [--crops 300]` after `npm run build`.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';

setFlagsFromString('--semi-space-growth-factor=1'); // as the command does, src/cli/main.ts

const { values } = parseArgs({ options: { crops: { type: 'string', default: '300' } } });
const nCrops = Number(values.crops);
const folder = path.resolve(import.meta.dirname, '..', 'examples', 'photos');
const photos = readdirSync(folder)
  .filter((name) => name.endsWith('.jpg'))
  .map((name) => path.join(folder, name));

const cropper = await openCropper({ gpu: 'cpu' });
const megabytes = () => process.memoryUsage().rss / 1e6;
let settled = 0;
for (let i = 1; i <= nCrops; i++) {
  await cropper.crop(photos[i % photos.length], { votes: 3, aspect: i % 2 ? '4:5' : '16:9' });
  if (i === 50) settled = megabytes();
  if (i % 50 === 0) console.log(`after ${String(i).padStart(4)} crops: ${megabytes().toFixed(1)} MB resident`);
}
console.log(`at the end ${((100 * megabytes()) / settled - 100).toFixed(1)} % more than after the 50th`);
await cropper.dispose();
