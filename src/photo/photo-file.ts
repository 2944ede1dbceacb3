import { defined } from '../base/defined.js';
import { avifSequence, readAvifColour } from './formats/avif-colour.js';
import { movingPixels } from './apng-frames.js';
import { tooManyFrames } from './failure.js';
import { readApng, type ApngFrame } from './formats/apng.js';
import { hasPngProfile } from './formats/png-chunks.js';
import { readGif } from './formats/gif-blocks.js';
import { jpegPixels, mayBePadded } from './formats/jpeg-pixels.js';
import { readPng } from './formats/png-photo.js';
import { readTiffLayout, type TiffLayout } from './formats/tiff-layout.js';
import { firstPage } from './formats/tiff-pages.js';
import { webpFrames } from './formats/webp-chunks.js';
import type { Cicp } from './formats/types.js';
import type { EncodedPhoto } from './input.js';
import type { Metadata } from 'sharp';
import { FramewrightError } from '../base/errors.js';
import type { HeicPicture } from './heic/messages.js';
import { readHeic } from './heic/read-heic.js';

/** The frames of a photo that moves. */
export interface Animation {
  readonly nFrames: number;
  /** The file as libvips is given it for all of them. */
  readonly pixels: Uint8Array;
  /** Of an APNG. */
  readonly timing?: ApngTiming;
}

/** What an APNG says of its frames' times. */
export interface ApngTiming {
  /** 0: for ever. */
  readonly plays: number;
  readonly delays: readonly ApngFrame['delay'][];
}

/** What a photo's file means for its pixels. Read here, once, wherever libvips does not look or cannot be trusted. */
export interface PhotoFile {
  /** The file as libvips is given it. */
  readonly pixels: Uint8Array;
  /** A profile that libvips does not find. */
  readonly icc?: Uint8Array;
  readonly cicp?: Cicp;
  /** Pixels an inch, in a PNG or TIFF; of other formats libvips tells. */
  readonly density?: number;
  /** The alpha that libvips makes is not the file's. */
  readonly isOpaque?: boolean;
  /** What counts as damage: warnings do too, unless harmless oddities give the same ones. Default `warning`. */
  readonly failOn?: 'error';
  /** Of a TIFF. */
  readonly parts?: TiffLayout['parts'];
  /** What libvips cannot say of the file, as it says nothing of a HEIC but its pixels. */
  readonly stored?: Pick<Metadata, 'orientation' | 'chromaSubsampling' | 'exif' | 'xmp'>;
  /** Of a GIF, WebP or PNG that moves, all of whose frames are cropped. */
  readonly animation?: Animation;
  /** What of the photo is not cropped, to follow its name. */
  readonly notes: readonly string[];
}

/** What a photo that must be decoded here is decoded with. */
export interface DecodingLimits {
  readonly maxPixels: number;
  readonly firstFrame: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws FramewrightError INPUT_UNSUPPORTED; of a HEIC INPUT_CORRUPT and INPUT_TOO_LARGE too */
export async function readPhotoFile({ bytes, format, name }: EncodedPhoto, limits: DecodingLimits): Promise<PhotoFile> {
  switch (format) {
    case 'jpeg': {
      const pixels = jpegPixels(bytes);
      return { pixels, ...(mayBePadded(pixels) && { failOn: 'error' }), notes: [] };
    }
    case 'png': {
      const { pixels, cicp, density, nFrames } = readPng(bytes);
      const still = { pixels: pixels(), ...defined({ cicp, density }) };
      if (nFrames === 1 || limits.firstFrame) return { ...still, notes: firstOf(nFrames) };
      const moving = await movingPng({ bytes, name }, still, limits);
      return 'reason' in moving
        ? { ...still, notes: [`is an animation of ${nFrames} frames ${moving.reason}: the first is what is cropped`] }
        : { ...still, animation: moving, notes: [] };
    }
    case 'gif': {
      const { pixels, movingPixels, icc, nFrames, isCut } = readGif(bytes);
      if (nFrames === 1 || limits.firstFrame) return { pixels, ...defined({ icc }), notes: firstOf(nFrames) };
      // libvips makes what it can of a frame that ends too early, and says nothing.
      if (isCut) throw damagedEnd(name);
      return {
        pixels,
        ...defined({ icc }),
        animation: { nFrames, pixels: movingPixels },
        notes: icc ? [WITHOUT_PROFILE] : [],
      };
    }
    case 'webp': {
      const nFrames = webpFrames(bytes);
      if (nFrames === 1 || limits.firstFrame) return { pixels: bytes, notes: firstOf(nFrames) };
      return { pixels: bytes, animation: { nFrames, pixels: bytes }, notes: [] };
    }
    case 'avif': {
      const sequence = avifSequence(bytes);
      if (sequence === 'alone') {
        throw new FramewrightError(
          'INPUT_UNSUPPORTED',
          `${name} is an AVIF of moving pictures without a still one (brand avis), which is not supported: export a frame of it as JPEG or PNG first`,
        );
      }
      const notes = sequence === 'none' ? [] : ['is an AVIF of moving pictures: its still picture is what is cropped'];
      return { ...readAvifColour(withAvifBrand(bytes)), notes };
    }
    case 'heic':
      return heicFile(await readHeic(name, bytes, limits.maxPixels, limits.signal));
    case 'tiff': {
      const { ycbcr, ...layout } = readTiffLayout(bytes);
      if (ycbcr === 'full') {
        throw new FramewrightError(
          'INPUT_UNSUPPORTED',
          `${name} is a TIFF of YCbCr without subsampling, whose colours would come out wrong: save it as RGB first`,
        );
      }
      return { pixels: firstPage(bytes), ...layout, isOpaque: ycbcr !== undefined, notes: [] };
    }
  }
}

/**
 * The frames of an APNG, or why it is cropped as a still.
 *
 * @throws FramewrightError INPUT_CORRUPT, INPUT_TOO_LARGE
 */
async function movingPng(
  { bytes, name }: Pick<EncodedPhoto, 'bytes' | 'name'>,
  still: Pick<PhotoFile, 'pixels' | 'cicp'>,
  { maxPixels, signal }: DecodingLimits,
): Promise<Animation | { readonly reason: string }> {
  const apng = readApng(bytes);
  if (!apng) return { reason: 'that are not all there, or not where an APNG has them' };
  if (apng.depth > 8) return { reason: 'of 16 bits a channel, which is more than they are composed in' };
  if (still.cicp || hasPngProfile(still.pixels)) return { reason: 'in colours of a space of their own' };
  const { width, height, frames, plays } = apng;
  if (width * height * frames.length > maxPixels) {
    throw tooManyFrames(name, { width, height }, frames.length, maxPixels);
  }
  const pixels = await movingPixels(name, apng, signal);
  return { nFrames: frames.length, pixels, timing: { plays, delays: frames.map(({ delay }) => delay) } };
}

/** libvips goes by the first brand alone, which of an AVIF may be another (avis, miaf). */
function withAvifBrand(bytes: Uint8Array): Uint8Array {
  const brand = Buffer.from(bytes.subarray(8, 12)).toString('latin1');
  if (brand === 'avif' || brand === 'mif1') return bytes;
  const changed = Buffer.from(bytes);
  changed.write('avif', 8, 'latin1');
  return changed;
}

function heicFile({
  tiff,
  orientation,
  isSubsampled,
  cicp,
  exif,
  xmp,
  nPictures,
  auxiliaries,
}: HeicPicture): PhotoFile {
  const lost = [...new Set(auxiliaries.flatMap(mapNamed))];
  return {
    pixels: tiff,
    ...defined({ cicp }),
    stored: {
      orientation,
      ...(isSubsampled && { chromaSubsampling: '4:2:0' }),
      ...defined({ exif: exif && Buffer.from(exif), xmp: xmp && Buffer.from(xmp) }),
    },
    notes: [
      ...(nPictures > 1 ? [`holds ${nPictures} pictures: its primary one is what is cropped`] : []),
      ...(lost.length > 0 ? [`has a ${lost.join(' and a ')}, which no crop of it has`] : []),
    ],
  };
}

/** What crops lack and people may miss: mattes of hair and skin and their like are no such thing. */
function mapNamed(type: string): string[] {
  if (type.includes('hdrgainmap') || type.includes('21496')) return ['gain map (HDR)'];
  return type.includes('depth') ? ['depth map'] : [];
}

/** It says what the first frame's values mean, which is cropped with it; a GIF is written without. */
const WITHOUT_PROFILE = 'has a colour profile, which no crop of all its frames has';

function damagedEnd(name: string): FramewrightError {
  return new FramewrightError(
    'INPUT_CORRUPT',
    `${name} is damaged or incomplete (its last frame ends too early): copy it again, or crop its first frame alone (--first-frame, firstFrame in code)`,
  );
}

function firstOf(nFrames: number): string[] {
  return nFrames > 1 ? [`is an animation of ${nFrames} frames: the first is what is cropped`] : [];
}
