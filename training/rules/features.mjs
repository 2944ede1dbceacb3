// Dumps what the engine itself computes, so that fitting and use cannot drift: for every photo of a folder the features
// of all grid boxes and of their mirror images. Needs `npm run build`.
//   node training/rules/features.mjs <crops.json> <image folder> <output folder>
// Writes features.f32 [photo][mirrored 0|1][box][feature], meta.json {names, photos: [{name, width, height}], boxes}.
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import sharp from 'sharp';
import { analyseRaster, featureContexts } from '../../dist/src/engines/rules/analysis.js';
import { boxFeatures, FEATURE_NAMES } from '../../dist/src/engines/rules/features.js';
import { gridBoxes } from '../../dist/src/engines/rules/grid.js';

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
  const size = { width: info.width, height: info.height };
  const t0 = performance.now();
  const analysis = analyseRaster({ data: new Uint8Array(data), size });
  const t1 = performance.now();
  const contexts = featureContexts(analysis);
  for (const context of [contexts.plain, contexts.mirrored]) {
    const out = new Float32Array(boxes.length * nFeatures);
    boxes.forEach((box, i) => boxFeatures(context, box, out, i * nFeatures));
    stream.write(Buffer.from(out.buffer));
  }
  times[0] += t1 - t0;
  times[1] += performance.now() - t1;
  photos.push({ name, ...size });
}
await new Promise((resolve) => stream.end(resolve));
writeFileSync(path.join(outputFolder, 'meta.json'), JSON.stringify({ names: FEATURE_NAMES, photos, boxes }));
console.log(
  `${photos.length} photos, ${boxes.length} boxes, ${nFeatures} features; ${(times[0] / photos.length).toFixed(1)} ms analysis, ${(times[1] / photos.length).toFixed(1)} ms features (both ways)`,
);
