// Looks at the engine's crops as a whole: do they mirror with the photo, do they differ from photo to photo, how long do
// they take? With human crops beside the photos also best and mean IoU (of photos fitted on: no measure of quality).
// Needs `npm run build`.
//   node training/rules/check.mjs <image folder> [number of photos] [crops.json]
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { intersectionOverUnion } from '../../dist/src/base/geometry.js';
import { rules } from '../../dist/src/engines/rules/index.js';

const [folder, limit = '40', cropsFile] = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true })
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .sort();
const step = Math.max(1, Math.floor(files.length / Number(limit)));
const chosen = files.filter((_, i) => i % step === 0).slice(0, Number(limit));
const crops = cropsFile ? JSON.parse(readFileSync(cropsFile, 'utf8')) : {};

async function cropOf(name, flop) {
  const { data, info } = await sharp(path.join(folder, name))
    .flop(flop)
    .resize(512, 512, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = { width: info.width, height: info.height };
  const before = process.cpuUsage();
  const { candidates } = rules({ data: new Uint8Array(data), size }, { count: 5 });
  const used = process.cpuUsage(before);
  const [x1, y1, x2, y2] = candidates[0].box;
  const unit = [x1 / size.width, y1 / size.height, x2 / size.width, y2 / size.height];
  return { unit: flop ? [1 - unit[2], unit[1], 1 - unit[0], unit[3]] : unit, cpuMs: (used.user + used.system) / 1000 };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const results = [];
for (const name of chosen) {
  const plain = await cropOf(name, false);
  const mirrored = await cropOf(name, true);
  const human = (crops[path.basename(name)]?.crops_xyxy_normalised_clean ?? []).map((box) =>
    intersectionOverUnion(plain.unit, box),
  );
  results.push({
    box: plain.unit,
    mirror: intersectionOverUnion(plain.unit, mirrored.unit),
    cpuMs: plain.cpuMs,
    human,
  });
}
const pairs = results.flatMap((a, i) => results.slice(i + 1).map((b) => intersectionOverUnion(a.box, b.box)));
console.log(
  `${results.length} photos, ${mean(results.map(({ cpuMs }) => cpuMs)).toFixed(0)} ms of processor time each`,
);
console.log(`IoU with the mirrored photo's crop: mean ${mean(results.map(({ mirror }) => mirror)).toFixed(3)}`);
console.log(`IoU between two photos' crops: mean ${mean(pairs).toFixed(3)}`);
console.log(`area: mean ${mean(results.map(({ box: [x1, y1, x2, y2] }) => (x2 - x1) * (y2 - y1))).toFixed(3)}`);
const judged = results.filter(({ human }) => human.length > 0);
if (judged.length > 0) {
  const best = mean(judged.map(({ human }) => Math.max(...human)));
  console.log(
    `human crops: best IoU ${best.toFixed(3)}, mean IoU ${mean(judged.map(({ human }) => mean(human))).toFixed(3)}`,
  );
}
