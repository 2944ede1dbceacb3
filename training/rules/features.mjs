// Dumps what the engine itself computes, so that fitting and use cannot drift: for every photo the features of all grid
// boxes. Needs `npm run build`.
//   node training/rules/features.mjs <crops.json> <image folder> <output folder>
// Writes features.f32 [photo][box][feature] and meta.json {names, mirror, photos, boxes}.
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import sharp from 'sharp';
import { analyseRaster, scoringContext } from '../../dist/src/engines/rules/analysis.js';
import { boxFeatures, FEATURE_NAMES, MIRROR } from '../../dist/src/engines/rules/scoring/features.js';
import { gridBoxes } from '../../dist/src/engines/rules/scoring/grid.js';

const [cropsFile, imageFolder, outputFolder] = process.argv.slice(2);
const names = Object.keys(JSON.parse(readFileSync(cropsFile, 'utf8')));
mkdirSync(outputFolder, { recursive: true });
const boxes = gridBoxes();
const nFeatures = FEATURE_NAMES.length;
const stream = createWriteStream(path.join(outputFolder, 'features.f32'));
const photos = [];
const times = [0, 0];

for (const name of names) {
  const { data, info } = await sharp(path.join(imageFolder, name))
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const start = performance.now();
  const analysis = analyseRaster({ data: new Uint8Array(data), size: { width: info.width, height: info.height } });
  const analysed = performance.now();
  const context = scoringContext(analysis);
  const out = new Float32Array(boxes.length * nFeatures);
  boxes.forEach((box, i) => boxFeatures(context, box, out, i * nFeatures));
  stream.write(Buffer.from(out.buffer));
  times[0] += analysed - start;
  times[1] += performance.now() - analysed;
  photos.push(name);
}
await new Promise((resolve) => stream.end(resolve));
writeFileSync(
  path.join(outputFolder, 'meta.json'),
  JSON.stringify({ names: FEATURE_NAMES, mirror: MIRROR, photos, boxes }),
);
const mean = times.map((total) => (total / photos.length).toFixed(1));
console.log(
  `${photos.length} photos, ${boxes.length} boxes, ${nFeatures} features; ms a photo: ${mean[0]} analysis, ${mean[1]} features`,
);
