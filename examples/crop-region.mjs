// The crop as sharp's extract takes it, for a pipeline of your own. npm install sharp framewright, then
//   node crop-region.mjs photo.jpg thumbnail.webp
import { openCropper } from 'framewright';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';

let opening;

/**
 * Where to cut a photo, in pixels of the upright photo; takes what `cropper.crop` does.
 * @param {Uint8Array} photo
 * @param {import('framewright').CropOptions} [options]
 */
export async function cropRegion(photo, options) {
  const cropper = await (opening ??= openCropper({ engine: process.env.ENGINE ?? 'vlm' }));
  const { x, y, width, height } = (await cropper.crop(photo, options)).crop;
  return { left: x, top: y, width, height };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [input, output] = process.argv.slice(2);
  const photo = await readFile(input);
  const region = await cropRegion(photo, { aspect: '1:1' });
  // Upright first: the region is that of the photo as it is seen, whatever its EXIF orientation.
  await sharp(photo, { autoOrient: true }).extract(region).resize(320, 320).toFile(output);
  await (await opening).dispose();
}
