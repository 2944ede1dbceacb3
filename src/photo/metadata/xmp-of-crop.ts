import type { PixelChange } from './orientation.js';
import { regionsOfCrop } from './regions.js';
import { editXmp, openXmp, readXmp, type XmpEdits } from './xmp.js';
import { XmlError, XmlTooLargeError } from '../formats/xml.js';

/**
 * The XMP of a photo corrected for a crop of it: upright, the new file's dimensions, no picture of what was there
 * before, regions where it shows them, and no crop that is still to be applied, which a raw developer would cut out of
 * the crop. It is no panorama to walk around in, and no moving picture, any more.
 *
 * What is no well-formed XML is kept with its orientation alone set right. What is larger or deeper than any XMP is not
 * looked at, so nothing says that it is still true.
 *
 * @param options.keepsExtension whether the JPEG segments that continue the packet go along.
 * @returns undefined for a packet beyond all bounds.
 */
export function xmpOfCrop(
  xmp: string,
  change: PixelChange,
  { keepsExtension }: { readonly keepsExtension: boolean },
): string | undefined {
  const { output, kept } = change;
  const orientation = String(kept?.orientation ?? 1);
  const edits: XmpEdits = {
    ...(keepsExtension ? {} : { 'xmpNote:HasExtendedXMP': undefined }),
    'tiff:Orientation': orientation,
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
    const packet = openXmp(xmp);
    const isPending = isTrue(readXmp(packet, 'crs:HasCrop')) && !isTrue(readXmp(packet, 'crs:AlreadyApplied'));
    const edited = editXmp(packet, { ...edits, ...(isPending ? NO_CROP : {}) }, { onlyPresent: true });
    return regionsOfCrop(edited, change);
  } catch (thrown) {
    if (thrown instanceof XmlTooLargeError) return undefined;
    if (!(thrown instanceof XmlError)) throw thrown;
    return xmp.replace(
      /\btiff:Orientation(\s*=\s*["'])[^"']*/g,
      (_, opening: string) => `tiff:Orientation${opening}${orientation}`,
    );
  }
}

const NO_CROP: XmpEdits = {
  'crs:HasCrop': 'False',
  'crs:CropTop': undefined,
  'crs:CropLeft': undefined,
  'crs:CropBottom': undefined,
  'crs:CropRight': undefined,
  'crs:CropAngle': undefined,
  'framewright:Crop': undefined,
};

export function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}
