import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

/** Photos that must fail, by the code of their error. */
export const BROKEN = {
  'broken-cut.jpg': 'INPUT_CORRUPT',
  'broken-empty.jpg': 'INPUT_UNSUPPORTED',
  'broken-heic.jpg': 'INPUT_UNSUPPORTED',
  'broken-pixels.png': 'INPUT_CORRUPT',
  'broken-text.webp': 'INPUT_UNSUPPORTED',
};

/**
 * Writes `nWhole` whole photos of every format, EXIF orientation and colour space there is, and the five broken ones.
 * The same photos on every call, apart from one another.
 */
export async function writeMixedPhotos(folder, source, nWhole = 55) {
  const bytes = await readFile(source);
  const photo = (i) =>
    sharp(bytes)
      .resize(240 + i, 180)
      .modulate({ hue: (i * 47) % 360 });
  const kinds = [
    ...Array.from({ length: 8 }, (_, k) => ['jpg', (p) => p.jpeg().withMetadata({ orientation: k + 1 })]),
    ['jpg', (p) => p.toColourspace('cmyk').jpeg()],
    ['jpg', (p) => p.withIccProfile('p3').jpeg({ chromaSubsampling: '4:4:4', progressive: true })],
    ['jpg', (p) => p.greyscale().jpeg()],
    ['png', (p) => p.png()],
    ['png', (p) => p.toColourspace('rgb16').png()],
    ['png', (p) => p.png({ palette: true })],
    ['png', (p) => p.ensureAlpha(0.5).png()],
    ['webp', (p) => p.webp()],
    ['webp', (p) => p.ensureAlpha(0.5).webp({ lossless: true })],
    ['avif', (p) => p.avif({ effort: 0 })],
    ['tif', (p) => p.tiff({ compression: 'lzw' })],
    ['tif', (p) => p.toColourspace('rgb16').tiff()],
    ['tif', (p) => p.toColourspace('cmyk').tiff().withMetadata({ orientation: 6 })],
    ['gif', (p) => p.gif()],
  ];
  for (let i = 0; i < nWhole; i++) {
    const [extension, encode] = kinds[i % kinds.length];
    await encode(photo(i)).toFile(path.join(folder, `${String(i).padStart(3, '0')}.${extension}`));
  }
  const jpeg = await photo(0).jpeg().toBuffer();
  const png = await photo(1).png({ compressionLevel: 0 }).toBuffer();
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), jpeg]);
  const broken = {
    'broken-cut.jpg': jpeg.subarray(0, jpeg.length / 2),
    'broken-empty.jpg': Buffer.alloc(0),
    'broken-heic.jpg': heic,
    'broken-pixels.png': png.subarray(0, png.length / 2),
    'broken-text.webp': Buffer.from('these are only some notes about photos\n'),
  };
  for (const [name, content] of Object.entries(broken)) await writeFile(path.join(folder, name), content);
}
