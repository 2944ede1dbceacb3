// What `train taste` learns of a simulated photographer with a clear taste: always tight, the subject's middle on the left
// third. 60 choices to learn from, 100 other photos to measure on, all by subject masks.
//   npm run build && node bench/taste.mjs --photos FLMS/images --masks FLMS/masks [--model nano] [--threads 2] [--out folder]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { bootstrapSamples, percentileInterval } from '../dist/src/base/intervals.js';
import { boxArea, intersectionOverUnion } from '../dist/src/base/geometry.js';
import { seededRandom } from '../dist/src/base/random.js';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    photos: { type: 'string' },
    masks: { type: 'string' },
    model: { type: 'string', default: 'nano' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string', default: path.join(tmpdir(), 'framewright-taste') },
    seed: { type: 'string', default: '7' },
  },
});
if (!values.photos || !values.masks) throw new Error('--photos and --masks are missing');

/** Subjects smaller or larger than these shares of the photo are none to crop tightly to. */
const [LEAST_SUBJECT, MOST_SUBJECT] = [0.004, 0.5];
const [N_CHOICES, N_UNSEEN] = [60, 100];

/** The box that holds all but a hundredth of the mask at each side, in shares of the photo; undefined for no subject. */
async function subjectOf(mask) {
  const { data, info } = await sharp(mask).greyscale().raw().toBuffer({ resolveWithObject: true });
  const [columns, rows] = [new Array(info.width).fill(0), new Array(info.height).fill(0)];
  for (let y = 0; y < info.height; y++) {
    for (let x = 0; x < info.width; x++) {
      if (data[(y * info.width + x) * info.channels] <= 127) continue;
      columns[x]++;
      rows[y]++;
    }
  }
  const total = columns.reduce((sum, n) => sum + n, 0);
  const share = total / (info.width * info.height);
  if (share < LEAST_SUBJECT || share > MOST_SUBJECT) return undefined;
  const quantile = (counts, p) => {
    let sum = 0;
    return counts.findIndex((n) => (sum += n) >= p * total);
  };
  const [x1, x2] = [quantile(columns, 0.01), quantile(columns, 0.99) + 1].map((x) => x / info.width);
  const [y1, y2] = [quantile(rows, 0.01), quantile(rows, 0.99) + 1].map((y) => y / info.height);
  return [x1, y1, x2, y2];
}

/** The photo's own shape at half to four fifths of its sides, by the size of the subject, whose middle is on the left third. */
function tasteOf([x1, y1, x2, y2], { width, height }) {
  const side = Math.min(0.8, Math.max(0.5, 1.5 * Math.max(x2 - x1, y2 - y1)));
  const [w, h] = [Math.round(side * width), Math.round(side * height)];
  const at = (value, most) => Math.round(Math.min(most, Math.max(0, value)));
  const x = at(((x1 + x2) / 2) * width - w / 3, width - w);
  const y = at(((y1 + y2) / 2) * height - h / 2, height - h);
  return [x, y, x + w, y + h];
}

function framewright(...args) {
  const command = [path.join(root, 'dist/src/cli/main.js'), ...args];
  return execFileSync(process.execPath, command, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function cropsOf(files, ...args) {
  const lines = framewright('--dry-run', '--json', '--model', values.model, '--jobs', '1', ...args, ...files);
  const crops = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).crop);
  return crops.map(({ x, y, width, height }) => [x, y, x + width, y + height]);
}

const photos = [];
for (const name of readdirSync(values.photos).sort()) {
  const file = path.join(values.photos, name);
  const mask = path.join(values.masks, `${path.parse(name).name}.png`);
  const subject = existsSync(mask) ? await subjectOf(mask) : undefined;
  if (!subject) continue;
  const { width, height } = await sharp(file).metadata();
  photos.push({ file, width, height, box: tasteOf(subject, { width, height }) });
}
if (photos.length < N_CHOICES + N_UNSEEN)
  throw new Error(`${photos.length} photos have a subject: it takes ${N_CHOICES + N_UNSEEN}`);
const random = seededRandom(Number(values.seed));
const lots = new Map(photos.map((photo) => [photo, random()]));
photos.sort((a, b) => lots.get(a) - lots.get(b));
const [learnt, unseen] = [photos.slice(0, N_CHOICES), photos.slice(N_CHOICES, N_CHOICES + N_UNSEEN)];

rmSync(values.out, { recursive: true, force: true });
mkdirSync(values.out, { recursive: true });
const choices = path.join(values.out, 'choices.jsonl');
writeFileSync(choices, learnt.map(({ file, box }) => `${JSON.stringify({ path: file, box })}\n`).join(''));
const start = performance.now();
const taste = path.join(values.out, 'taste');
const told = framewright('train', 'taste', choices, '--model', values.model, '--threads', values.threads, '-o', taste);
const minutes = (performance.now() - start) / 60_000;
process.stdout.write(told);

const files = unseen.map(({ file }) => file);
const before = cropsOf(files);
const after = cropsOf(files, '--lora', path.join(taste, 'taste.gguf'));
const ious = (crops) => crops.map((crop, i) => intersectionOverUnion(crop, unseen[i].box));
const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
const [was, is] = [ious(before), ious(after)];
const gains = is.map((iou, i) => iou - was[i]);
const [samples] = bootstrapSamples(
  gains.map((gain) => [gain]),
  [([sum], n) => sum / n],
);
const area = (boxes) => mean(boxes.map((box, i) => boxArea(box) / (unseen[i].width * unseen[i].height)));
const figures = {
  model: values.model,
  minutes,
  before: mean(was),
  after: mean(is),
  gain: { value: mean(gains), ...percentileInterval(samples) },
  area: { before: area(before), after: area(after), wanted: area(unseen.map(({ box }) => box)) },
  cpu: cpus()[0].model,
  load: loadavg()[0],
};
console.log(JSON.stringify(figures, undefined, 2));
if (values.out === path.join(tmpdir(), 'framewright-taste')) rmSync(values.out, { recursive: true });
