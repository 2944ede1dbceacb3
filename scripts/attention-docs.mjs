// The table of "Attention" in docs/evaluation.md, measured anew. Usage, after a build:
// node scripts/attention-docs.mjs [--model nano] [--photos examples/photos]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { attentionMarkdown, attentionTable } from '../dist/src/attention/tables.js';
import { openCropper, photoAttention } from '../dist/src/index.js';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'nano' },
    photos: { type: 'string', default: path.join(root, 'examples', 'photos') },
  },
});
const docs = path.join(root, 'docs', 'evaluation.md');
const [before, , after] = readFileSync(docs, 'utf8').split(
  /(?<=<!-- attention -->\n)([\s\S]*)(?=<!-- \/attention -->)/,
);
if (after === undefined) throw new Error(`${docs} has no place for the table`);

const cropper = await openCropper({ model: values.model, gpu: 'cpu', parallel: 2 });
const photos = [];
for (const name of readdirSync(values.photos).filter((file) => /\.(jpe?g|png|webp)$/i.test(file))) {
  photos.push({ path: name, ...(await photoAttention(cropper, path.join(values.photos, name))) });
}
const { model } = cropper;
await cropper.dispose();

const warning = model.trained ? '' : 'The model is untrained (random weights): these figures mean nothing yet.\n\n';
const table = attentionMarkdown({ model, photos, table: attentionTable(photos) });
writeFileSync(docs, `${before}\n${warning}${table}\n${after}`);
