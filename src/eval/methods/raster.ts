import sharp from 'sharp';
import type { Raster } from '../../engines/types.js';

/** The photo as it is shown: EXIF orientation applied, sRGB, transparency over white, no side longer than `maxSide`. */
export async function loadRaster(path: string, maxSide: number): Promise<Raster> {
  const { data, info } = await sharp(path)
    .autoOrient()
    .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, size: { width: info.width, height: info.height } };
}
