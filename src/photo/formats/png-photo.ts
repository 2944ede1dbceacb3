import { defined } from '../../base/defined.js';
import {
  colourSpaceOfCicp,
  iccProfile,
  SRGB_CURVE,
  SRGB_PRIMARIES,
  type Chromaticities,
  type ColourSpace,
} from './icc-profile.js';
import { exifOrientation, orientationExif, withoutExifSignature } from './exif-orientation.js';
import { encodePngChunk, pngChunks, pngProfile } from './png-chunks.js';
import { metadataKindOf, PngTextReader } from './png-text.js';
import type { Cicp, PngChunk } from './types.js';

/** What a PNG says beside its pixels, wherever in the file and in whichever form. */
export interface PngPhoto {
  /** From the TIFF header on. */
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
  /** Photoshop's resources, or an IPTC record alone. */
  readonly photoshop?: Uint8Array;
  /** Title, author, software, ... */
  readonly texts: readonly PngChunk[];
  readonly cicp?: Cicp;
  /** Pixels an inch. */
  readonly density?: number;
  /** Frames of an animation, 1 without. */
  readonly nFrames: number;
  /**
   * The file for the decoder: what it would not look for, or could be lost in, is left out or put where it looks. Made when
   * asked for: whoever reads metadata alone needs no copy of the file.
   */
  readonly pixels: () => Uint8Array;
}

/** More chunks of metadata than any file has; what comes after them is left out. */
const MAX_METADATA_CHUNKS = 4096;

/** What the decoder needs, in front of the pixels. */
const DECODED = new Set(['IHDR', 'PLTE', 'tRNS', 'iCCP', 'pHYs', 'sBIT', 'bKGD']);

/** XMP is looked for in both of its places by ImageMagick's `app1`. */
const XMP_SIGNATURE = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');

const MAX_PROFILE_BYTES = 4 * 1024 * 1024;

export function readPng(bytes: Uint8Array): PngPhoto {
  const head: PngChunk[] = [];
  const described: PngChunk[] = [];
  let dataAt: number | undefined;
  let dataEnd = 0;
  let isWhole = false;
  let nFrames = 1;
  for (const { type, data, at, end } of pngChunks(bytes)) {
    if (type === 'IDAT') {
      dataAt ??= at;
      dataEnd = end;
    } else if (type === 'IEND') {
      isWhole = true;
      break;
    } else if (type === 'acTL' && data.length >= 4) {
      nFrames = Math.max(1, Buffer.from(data).readUInt32BE());
    } else if (dataAt === undefined && (DECODED.has(type) || COLOUR.has(type))) {
      head.push({ type, data });
    } else if (described.length < MAX_METADATA_CHUNKS && DESCRIPTIVE.has(type)) {
      described.push({ type, data });
    }
    if (head.length > MAX_METADATA_CHUNKS) break;
  }
  const reader = new PngTextReader();
  const colour = colourOf(head, reader);
  const metadata = metadataOf(described, reader);
  const density = densityOf(head);
  const data = dataAt === undefined ? undefined : ([dataAt, isWhole ? dataEnd : undefined] as const);
  return {
    ...metadata,
    ...(colour.cicp && { cicp: colour.cicp }),
    ...defined({ density }),
    nFrames,
    pixels: () => (data ? forDecoder(bytes, head, colour, metadata.exif, data) : bytes),
  };
}

const DESCRIPTIVE = new Set(['eXIf', 'tEXt', 'zTXt', 'iTXt']);
const COLOUR = new Set(['cICP', 'sRGB', 'gAMA', 'cHRM']);

function metadataOf(
  chunks: readonly PngChunk[],
  reader: PngTextReader,
): Pick<PngPhoto, 'exif' | 'xmp' | 'photoshop' | 'texts'> {
  let exif = chunks.find(({ type }) => type === 'eXIf')?.data;
  let xmp: Uint8Array | undefined;
  let photoshop: Uint8Array | undefined;
  const texts: PngChunk[] = [];
  for (const chunk of chunks) {
    if (chunk.type === 'eXIf') continue;
    const kind = metadataKindOf(chunk);
    if (kind === undefined) {
      texts.push(chunk);
      continue;
    }
    // The first of each kind holds, and others are not even inflated.
    if ((kind === 'exif' && exif) || (kind === 'xmp' && xmp) || ((kind === '8bim' || kind === 'iptc') && photoshop)) {
      continue;
    }
    if (kind === 'icc' || kind === 'icm') continue;
    const found = reader.metadataIn(chunk);
    if (!found || found.length === 0) continue;
    if (kind === 'xmp') xmp = found;
    else if (kind === '8bim' || kind === 'iptc') photoshop = found;
    else if (kind === 'app1' && XMP_SIGNATURE.equals(found.subarray(0, XMP_SIGNATURE.length))) {
      xmp ??= found.subarray(XMP_SIGNATURE.length);
    } else exif ??= found;
  }
  return {
    ...(exif && { exif: withoutExifSignature(exif) }),
    ...(xmp && { xmp }),
    ...defined({ photoshop }),
    texts,
  };
}

interface PngColour {
  /** Where it says more than a profile can. */
  readonly cicp?: Cicp;
  /** In the place of the file's own colour chunks. */
  readonly space?: ColourSpace;
  readonly ownProfile?: PngChunk;
}

/** In the order of precedence of the PNG specification, third edition: cICP, iCCP, sRGB, then gAMA and cHRM. */
function colourOf(head: readonly PngChunk[], reader: PngTextReader): PngColour {
  const dataOf = (wanted: string): Buffer | undefined => {
    const data = head.find(({ type }) => type === wanted)?.data;
    return data && Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  };
  const points = dataOf('cICP');
  // Values of another matrix or range are no RGB as we know it.
  if (points?.length === 4 && points[2] === 0 && points[3] === 1) {
    const cicp = { primaries: points[0]!, transfer: points[1]! };
    const space = colourSpaceOfCicp(cicp);
    return space ? { cicp, space } : {};
  }
  const ownProfile = head.find(({ type }) => type === 'iCCP');
  if (ownProfile && isSoundProfile(ownProfile.data, reader)) return { ownProfile };
  if (dataOf('sRGB')) return {};
  const gamma = dataOf('gAMA');
  const chromaticities = dataOf('cHRM');
  const space = spaceOf(
    gamma?.length === 4 ? gamma.readUInt32BE() : undefined,
    chromaticities?.length === 32 ? chromaticitiesIn(chromaticities) : undefined,
  );
  return space ? { space } : {};
}

/** A profile larger than any, or a bomb, is none. */
function isSoundProfile(data: Uint8Array, reader: PngTextReader): boolean {
  const nameEnd = data.subarray(0, 80).indexOf(0);
  const profile = nameEnd < 0 ? undefined : reader.inflated(data.subarray(nameEnd + 2));
  return profile !== undefined && profile.length >= 128 && profile.length <= MAX_PROFILE_BYTES;
}

/** cHRM has white first. */
function chromaticitiesIn(data: Buffer): Chromaticities {
  const at = (index: number): number => data.readUInt32BE(4 * index) / 100_000;
  return [at(2), at(3), at(4), at(5), at(6), at(7), at(0), at(1)];
}

/** What encoders write for sRGB, as rounded as they do. */
const SRGB_GAMMA = 45_455;

function spaceOf(gamma: number | undefined, primaries: Chromaticities | undefined): ColourSpace | undefined {
  const isSrgbGamma = gamma === undefined || Math.abs(gamma - SRGB_GAMMA) < 1500;
  const isSrgbPrimaries = !primaries || primaries.every((value, i) => Math.abs(value - SRGB_PRIMARIES[i]!) < 0.004);
  // Screens differ more from each other than exponents beyond these make sense.
  if ((isSrgbGamma && isSrgbPrimaries) || gamma === 0 || (gamma !== undefined && (gamma < 10_000 || gamma > 500_000))) {
    return undefined;
  }
  return {
    primaries: isSrgbPrimaries ? SRGB_PRIMARIES : primaries,
    curve: isSrgbGamma ? SRGB_CURVE : { parameters: [100_000 / gamma] },
  };
}

/** @param data where the pixels begin and end; a file that ends too early is to be seen as such. */
function forDecoder(
  bytes: Uint8Array,
  head: readonly PngChunk[],
  colour: PngColour,
  exif: Uint8Array | undefined,
  [dataAt, dataEnd]: readonly [number, number | undefined],
): Uint8Array {
  const before = Buffer.concat([bytes.subarray(0, 8), ...decoderHead(head, colour, exif)]);
  const isSame = before.equals(bytes.subarray(0, dataAt)) && (dataEnd ?? bytes.length) + 12 >= bytes.length;
  if (isSame) return bytes;
  const end = dataEnd === undefined ? [] : [encodePngChunk({ type: 'IEND', data: new Uint8Array() })];
  return Buffer.concat([before, bytes.subarray(dataAt, dataEnd), ...end]);
}

function decoderHead(head: readonly PngChunk[], colour: PngColour, exif: Uint8Array | undefined): Uint8Array[] {
  const chunks = head.filter(({ type }) => DECODED.has(type) && type !== 'iCCP');
  const added: PngChunk[] = [];
  const profile = colour.space && iccProfile(colour.space, isGrey(head));
  if (profile) {
    added.push(pngProfile(profile));
  } else if (colour.ownProfile) added.push(colour.ownProfile);
  const orientation = exif && exifOrientation(exif);
  if (orientation !== undefined && orientation !== 1) added.push({ type: 'eXIf', data: orientationExif(orientation) });
  return chunks.flatMap((chunk) => [chunk, ...(chunk.type === 'IHDR' ? added : [])]).map(encodePngChunk);
}

/** Colour types 0 and 4. */
function isGrey(head: readonly PngChunk[]): boolean {
  const header = head.find(({ type }) => type === 'IHDR')?.data;
  return header !== undefined && ((header[9] ?? 2) & 2) === 0;
}

function densityOf(head: readonly PngChunk[]): number | undefined {
  const data = head.find(({ type }) => type === 'pHYs')?.data;
  if (data?.length !== 9 || data[8] !== 1) return undefined;
  return Buffer.from(data).readUInt32BE() * 0.0254;
}
