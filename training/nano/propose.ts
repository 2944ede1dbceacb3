// Has a model crop the photos of a corpus, for what it proposes to be judged: what it decides between in use is not what a
// teacher would propose. Run `npm run build` first.
//   node dist/training/nano/propose.js --model run/model --corpus folder --out proposals.jsonl [--part 0/2] [--limit n]
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCropper } from '../../src/cropper/cropper.js';
import { corpusFiles } from './views.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'nano' },
    corpus: { type: 'string' },
    out: { type: 'string' },
    part: { type: 'string', default: '0/1' },
    limit: { type: 'string', default: 'Infinity' },
  },
});
if (!values.corpus || !values.out) throw new Error('--corpus and --out are missing');
const [index, of] = values.part.split('/').map(Number) as [number, number];
const files = (await corpusFiles(values.corpus)).filter((_, i) => i % of === index).slice(0, Number(values.limit));

await using cropper = await openCropper({ model: values.model, gpu: 'cpu' });
const out = createWriteStream(values.out);
let n = 0;
for await (const { results } of cropper.cropEach(files.map((file) => join(values.corpus!, file)))) {
  const source = files[n++]!;
  if (results) out.write(`${JSON.stringify({ source, boxes: results[0]!.candidates.map(({ box }) => box) })}\n`);
}
await new Promise<void>((resolve) => out.end(resolve));
