import type { PixelChange } from './orientation.js';
import { regionsOfCrop } from './regions.js';
import { editXmp, readXmp, type XmpEdits } from './xmp.js';
import { XmlError } from '../formats/xml.js';

/**
 * The XMP of a photo corrected for a crop of it: upright, the new file's dimensions, no picture of what was there
 * before, regions where it shows them, and no crop that is still to be applied, which a raw developer would cut out of
 * the crop. It is no panorama to walk around in, and no moving picture, any more.
 *
 * What is no well-formed XML is kept with its orientation alone set right.
 *
 * @param options.keepsExtension whether the JPEG segments that continue the packet go along.
 */
export function xmpOfCrop(
  xmp: string,
  change: PixelChange,
  { keepsExtension }: { readonly keepsExtension: boolean },
): string {
  const { output } = change;
  const edits: XmpEdits = {
    ...(keepsExtension ? {} : { 'xmpNote:HasExtendedXMP': undefined }),
    'tiff:Orientation': '1',
    'tiff:ImageWidth': String(output.width),
    'tiff:ImageLength': String(output.height),
    'exif:PixelXDimension': String(output.width),
    'exif:PixelYDimension': String(output.height),
    'xmp:Thumbnails': undefined,
    'GPano:ProjectionType': undefined,
    'GPano:UsePanoramaViewer': undefined,
    'GCamera:MotionPhoto': undefined,
    'GCamera:MicroVideo': undefined,
    'GCamera:MicroVideoOffset': undefined,
  };
  try {
    const isPending = isTrue(readXmp(xmp, 'crs:HasCrop')) && !isTrue(readXmp(xmp, 'crs:AlreadyApplied'));
    const edited = editXmp(xmp, { ...edits, ...(isPending ? NO_CROP : {}) }, { onlyPresent: true });
    return regionsOfCrop(edited, change);
  } catch (thrown) {
    if (!(thrown instanceof XmlError)) throw thrown;
    return xmp.replace(/\btiff:Orientation(\s*=\s*["'])[^"']*/g, (_, opening: string) => `tiff:Orientation${opening}1`);
  }
}

const NO_CROP: XmpEdits = {
  'crs:HasCrop': 'False',
  'crs:CropTop': undefined,
  'crs:CropLeft': undefined,
  'crs:CropBottom': undefined,
  'crs:CropRight': undefined,
  'crs:CropAngle': undefined,
};

export function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}
