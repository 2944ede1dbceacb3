// Dumps what the engine itself computes of every box that may be a photo's subject, so that fitting and use cannot drift.
// Needs `npm run build`.
//   node training/rules/subject-features.mjs <subjects.json> <image folder> <output folder>
// Writes features.f32 [photo][box][feature] and meta.json {names, photos: [{file, box}], boxes}.
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import sharp from 'sharp';
import { measurePhoto } from '../../dist/src/engines/rules/maps/photo-maps.js';
import { integralOf } from '../../dist/src/engines/rules/maps/plane.js';
import * as S from '../../dist/src/engines/rules/subject/subject.js';

const [subjectsFile, imageFolder, outputFolder] = process.argv.slice(2);
const photos = JSON.parse(readFileSync(subjectsFile, 'utf8')).photos;
mkdirSync(outputFolder, { recursive: true });
const boxes = S.subjectBoxes();
const names = [...S.PLANE_TERMS.flatMap((term) => S.PLANE_NAMES.map((plane) => `${term}.${plane}`)), ...S.BOX_TERMS];
const stream = createWriteStream(path.join(outputFolder, 'features.f32'));
for (const { file } of photos) {
  const { data, info } = await sharp(path.join(imageFolder, file))
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = { width: info.width, height: info.height };
  const planes = S.subjectPlanes(measurePhoto({ data: new Uint8Array(data), size }));
  const read = S.PLANE_TERMS.flatMap((term) =>
    planes.map((plane) => ({ term, integral: integralOf(plane), scale: S.scaleOf(term, plane) })),
  );
  const out = Float32Array.from(
    boxes.flatMap((box) => [
      ...read.map(({ term, integral, scale }) => scale * S.planeTerm(term, integral, box)),
      ...S.boxTerms(box, size.width / size.height),
    ]),
  );
  if (!stream.write(Buffer.from(out.buffer))) await once(stream, 'drain');
}
await new Promise((resolve) => stream.end(resolve));
writeFileSync(path.join(outputFolder, 'meta.json'), JSON.stringify({ names, photos, boxes }));
console.log(`${photos.length} photos, ${boxes.length} boxes, ${names.length} features`);
