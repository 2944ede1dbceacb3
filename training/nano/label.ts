// Has the teacher label pictures, the slow part of making training data. Run `npm run build` first.
//   node dist/training/nano/label.js --out labels.jsonl (--corpus folder [--cuts 2] | --scenes 4000 [--first 0] [--corpus folder])
//     [--part 0/2] [--limit n]
// Goes on where an interrupted run ended.
import { createWriteStream, existsSync } from 'node:fs';
import { once } from 'node:events';
import { labelLine, readLabels, teacherLabels } from './labels.js';
import { readOptions, viewsOf } from './options.js';

const options = readOptions();
const done = existsSync(options.out) ? await readLabels(options.out) : new Map<string, never>();
const file = createWriteStream(options.out, { flags: 'a' });
let n = 0;
for await (const { source, raster } of viewsOf(options)) {
  if (n >= options.limit) break;
  if (!done.has(source) && !file.write(labelLine(source, teacherLabels(raster)))) await once(file, 'drain');
  if (++n % 100 === 0) console.error(`${options.out}: ${n}`);
}
file.end();
await once(file, 'finish');
console.error(`${options.out}: ${n} pictures labelled`);
