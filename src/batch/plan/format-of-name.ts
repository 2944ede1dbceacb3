import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { isRawExtension } from '../../photo/camera-raw.js';
import { outputFormatOf } from '../../photo/output-format.js';

/** Of pictures, in formats we do not write. */
const OTHER_PICTURE = /\.(apng|bmp|exr|hdr|heic|heif|hif|ico|j2k|jp2|jpx|jxl|pbm|pgm|ppm|psd|svg)$/i;

/** Whether a name is that of a picture rather than a folder. */
export function isPictureName(name: string): boolean {
  return outputFormatOf(name) !== undefined || isOtherPicture(name);
}

/**
 * A file is what its name says.
 *
 * @param extension what --format asks for
 * @throws FramewrightError USAGE for a format we do not write, or another than asked for
 */
export function refuseOtherFormat(name: string, extension: string | undefined): void {
  const own = path.extname(name);
  if (isOtherPicture(name)) {
    throw new FramewrightError(
      'USAGE',
      `${name}: ${own} is not written; there are .jpg, .png, .webp, .avif, .tif and .gif`,
    );
  }
  const named = outputFormatOf(name);
  if (named === undefined || extension === undefined || named === outputFormatOf(`x${extension}`)) return;
  throw new FramewrightError(
    'USAGE',
    `${name} says another format than --format; leave out --format, or call it ${extension}`,
  );
}

function isOtherPicture(name: string): boolean {
  return OTHER_PICTURE.test(name) || isRawExtension(name);
}
