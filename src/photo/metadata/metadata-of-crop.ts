import type { EncodedImage } from '../encode.js';
import type { Photo } from '../decode.js';
import { decoding } from '../failure.js';
import { sharp } from '../vips.js';
import { containerOfCrop } from './container.js';
import { embedMetadata } from './embed.js';
import { exifOfCrop } from './exif.js';
import { hasThumbnail, type Thumbnail } from './exif-thumbnail.js';
import { cropGainMap, gainMapOf, withGainMap } from './gain-map.js';
import { MAX_SEGMENT_BYTES } from '../formats/jpeg-segments.js';
import type { PixelChange } from './orientation.js';
import { readMetadata, SIGNATURE } from './read-metadata.js';
import { isHdr } from '../formats/icc-profile.js';
import type { Cicp, CropMetadata } from '../formats/types.js';
import { resourcesOfCrop } from './resources-of-crop.js';
import { xmpOfCrop } from './xmp-of-crop.js';

/** Longest side of a thumbnail, as EXIF 2.32 section 4.5.8 names it. */
const THUMBNAIL_PX = 160;

export interface DescribedCrop {
  readonly bytes: Uint8Array;
  /** What of the photo's metadata the crop has not, though its format could hold it, with the reason: for people. */
  readonly leftOut: readonly string[];
}

/**
 * The encoded crop with everything the photo's file said about itself that is still true of it: EXIF, XMP and IPTC
 * corrected for the new pixels, and in a JPEG the thumbnail and the gain map cropped alike.
 *
 * @param options.cicp what the values in the image mean, where they are the photo's own.
 */
export async function withPhotoMetadata(
  photo: Photo,
  image: EncodedImage,
  change: PixelChange,
  { cicp, signal }: { readonly cicp: Cicp | undefined; readonly signal: AbortSignal | undefined },
): Promise<DescribedCrop> {
  const { exif, xmp, extendedXmp, photoshop, ...rest } = readMetadata(photo);
  const isJpeg = image.format === 'jpeg';
  const gainMap = isJpeg ? gainMapOf(photo) : undefined;
  const mapToCrop = change.at === undefined ? gainMap : undefined;
  const croppedMap = mapToCrop && (await cropGainMap(photo, mapToCrop, change, signal));
  const croppedExif = exif && (await exifFor(exif, image, change, signal));
  const ownXmp = xmp === undefined ? undefined : xmpOfCrop(xmp, change, { keepsExtension: isJpeg });
  const croppedXmp = ownXmp === undefined ? undefined : containerOfCrop(ownXmp, croppedMap?.length);
  const described = photoshop && resourcesOfCrop(photoshop, change);
  const metadata: CropMetadata = {
    ...rest,
    ...(croppedExif && { exif: croppedExif }),
    ...(croppedXmp !== undefined && { xmp: croppedXmp }),
    ...(extendedXmp && { extendedXmp }),
    ...(described?.resources && { photoshop: described.resources }),
    ...(cicp && saysMore(cicp, photo, image) && { cicp }),
  };
  const bytes = embedMetadata(image, metadata);
  const leftOut = [
    ...(xmp !== undefined && ownXmp === undefined ? ['XMP, which is larger or deeper than any XMP is'] : []),
    ...(described?.leftOut ?? []),
    ...(gainMap && change.at ? ['gain map, which has nothing for the canvas around the crop'] : []),
  ];
  return { bytes: gainMap && croppedMap ? withGainMap(bytes, gainMap, croppedMap) : bytes, leftOut };
}

/** A profile says all but HDR, and in a PNG browsers take the code points of video for another light than in an AVIF. */
function saysMore(cicp: Cicp, photo: Photo, image: EncodedImage): boolean {
  return image.format !== 'png' || photo.format === 'png' || isHdr(cicp);
}

/** With a thumbnail only in a JPEG, where it has its place, and where there is room for it. */
async function exifFor(
  exif: Uint8Array,
  image: EncodedImage,
  change: PixelChange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const bare = exifOfCrop(exif, change);
  if (image.format !== 'jpeg' || !bare || !hasThumbnail(exif)) return bare;
  const shown = exifOfCrop(exif, change, await thumbnailOf(image, signal));
  return shown && shown.length + SIGNATURE.exif.length <= MAX_SEGMENT_BYTES ? shown : bare;
}

async function thumbnailOf({ bytes }: EncodedImage, signal: AbortSignal | undefined): Promise<Thumbnail> {
  const small = await decoding(
    'the crop',
    () =>
      sharp(bytes)
        .resize({ width: THUMBNAIL_PX, height: THUMBNAIL_PX, fit: 'inside', withoutEnlargement: true })
        .toColourspace('srgb')
        .jpeg({ quality: 75 })
        .toBuffer({ resolveWithObject: true }),
    signal,
  );
  return { bytes: small.data, width: small.info.width, height: small.info.height };
}
