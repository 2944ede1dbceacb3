import { lstat, readlink } from 'node:fs/promises';
import { FramewrightError } from '../../base/errors.js';
import { checkOptions, type OptionKinds } from '../../base/options-check.js';
import type { CropRect } from '../../base/schema.js';
import { replaceFile, type ReplacedFile } from '../../files/replace.js';
import type { Photo } from '../decode.js';
import { MAX_SEGMENT_BYTES } from '../formats/jpeg-segments.js';
import type { XmpPlace } from '../formats/own-xmp/types.js';
import { asUtf8, decodeXmlText } from '../formats/xml-text.js';
import { XmlError } from '../formats/xml.js';
import { extractable } from '../render.js';
import { NOTHING, settleCrop, type NotedState } from './crop-in-xmp.js';
import { hasDarktableCrop } from './darktable.js';
import { findXmp } from './own-xmp.js';
import { readMetadata, SIGNATURE } from './read-metadata.js';
import { sidecarPathOf } from './sidecar-path.js';
import { readSidecar } from './sidecar.js';
import { editXmp, openXmp, type XmpPacket } from './xmp.js';
import { paddedPacket } from './xmp-padding.js';

export interface EmbedCropOptions {
  /** Replace a crop that was made by hand, in the photo or in its sidecar, and write to a photo that is a link. Default false. */
  readonly force?: boolean;
  /** Keep the photo's modification time. Default false. */
  readonly keepTime?: boolean;
  readonly signal?: AbortSignal;
}

const EMBED_OPTIONS: OptionKinds<EmbedCropOptions> = { force: 'boolean', keepTime: 'boolean', signal: 'signal' };

export interface EmbeddedCrop extends NotedState {
  /** The photo's. */
  readonly path: string;
}

/** What became of a photo's own XMP. */
export type Embedding =
  | { readonly embedded: EmbeddedCrop; readonly file?: ReplacedFile }
  /** The file cannot have it, for a reason that follows its name. */
  | { readonly refusal: string };

/**
 * Says in the photo's own XMP how it is to be cropped, as `writeSidecar` says it beside: what Lightroom reads of JPEG,
 * TIFF, PNG and HEIC, whose sidecars it passes over. The file's XMP is changed and nothing else of it: every byte of its
 * pictures stays, all other properties too. It is replaced whole or not at all.
 *
 * @param crop in pixels of the upright photo, or of the straight one if it is turned.
 * @throws FramewrightError USAGE for a crop that is not inside the photo in whole pixels, or a photo without a path;
 *   INPUT_UNSUPPORTED for a file whose XMP cannot be changed; INPUT_CORRUPT for XMP that cannot be read; OUTPUT_EXISTS for
 *   a link; OUTPUT_WRITE, also where the file is write-protected or has changed since it was decoded.
 */
export async function embedCrop(photo: Photo, crop: CropRect, options: EmbedCropOptions = {}): Promise<EmbeddedCrop> {
  checkOptions('embedCrop', options, EMBED_OPTIONS);
  const done = await embedIn(photo, crop, options);
  if ('embedded' in done) return done.embedded;
  throw new FramewrightError('INPUT_UNSUPPORTED', `${photo.name} ${done.refusal}: note its crop in a sidecar instead`);
}

/** As embedCrop, but for a file that cannot have it. */
export async function embedIn(photo: Photo, crop: CropRect, options: EmbedCropOptions): Promise<Embedding> {
  const { force = false, keepTime = false, signal } = options;
  extractable(photo, crop);
  const { path } = photo;
  if (path === undefined) {
    throw new FramewrightError('USAGE', `${photo.name} has no path: only a photo's file has XMP to write to`);
  }
  if (photo.raw) return { refusal: 'is a raw file, beside which programs look for its crop' };
  const place = findXmp(photo.bytes, photo.format);
  if ('refusal' in place) return place;
  if (continuesCrop(photo)) return { refusal: 'has its crop settings in a part of its XMP that is not rewritten' };
  if (!force) await refuseLink(path);
  const existing = existingIn(photo, place);
  const sidecar = await sidecarOf(path, signal);
  const hasOther = sidecar !== undefined && hasDarktableCrop(sidecar);
  const settled = settleCrop(photo, crop, { existing, beside: sidecar, hasOther, isOwn: true }, force);
  if ('state' in settled) return { embedded: { path, ...settled } };
  const text = editXmp(existing ?? NOTHING, settled.edits);
  const most = photo.format === 'jpeg' ? MAX_SEGMENT_BYTES - SIGNATURE.xmp.length : Infinity;
  const packet = paddedPacket(text, place.packet?.length ?? 0, most);
  const bytes = packet && place.replaced(packet);
  if (!bytes) return { refusal: 'has no room for a crop in its XMP' };
  const file = await replaceFile(path, photo.bytes, bytes, { keepTime, signal });
  return { embedded: { path, state: 'written' }, file };
}

/** @throws FramewrightError INPUT_CORRUPT */
function existingIn({ name }: Photo, { packet }: XmpPlace): XmpPacket | undefined {
  if (!packet || isBlank(packet)) return undefined;
  const broken = (why: string, cause?: unknown): FramewrightError =>
    new FramewrightError('INPUT_CORRUPT', `the XMP in ${name} cannot be changed (${why}): repair or remove it first`, {
      cause,
    });
  const decoded = decodeXmlText(withoutEnd(packet));
  if (!decoded) throw broken('it is not in UTF-8 or UTF-16');
  try {
    return openXmp(asUtf8(decoded));
  } catch (thrown) {
    if (thrown instanceof XmlError) throw broken(thrown.message, thrown);
    throw thrown;
  }
}

/** Zeros behind a packet are room that some writers leave; in UTF-16 they are half of a character. */
function withoutEnd(packet: Uint8Array): Uint8Array {
  if (packet[0] === 0 || packet[1] === 0 || packet[0]! >= 0xfe) return packet;
  let end = packet.length;
  while (packet[end - 1] === 0) end--;
  return packet.subarray(0, end);
}

function isBlank(packet: Uint8Array): boolean {
  return packet.every((byte) => byte === 0 || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** Adobe's writers put Camera Raw's settings where the packet continues (XMP part 3, 1.1.3.1) as soon as it has no room. */
function continuesCrop(photo: Photo): boolean {
  const { extendedXmp = [] } = readMetadata(photo);
  if (extendedXmp.length === 0) return false;
  const text = Buffer.concat(extendedXmp.map((part) => part.subarray(EXTENSION_HEAD_BYTES))).toString('latin1');
  return /\b(?:HasCrop|CropTop|AlreadyApplied)\b/.test(text);
}

/** Digest of the whole, its length, and where the part begins. */
const EXTENSION_HEAD_BYTES = 32 + 4 + 4;

/** What cannot be read is nobody's crop. */
async function sidecarOf(path: string, signal: AbortSignal | undefined): Promise<XmpPacket | undefined> {
  try {
    const file = await readSidecar(await sidecarPathOf(path), signal);
    return file && openXmp(file.text);
  } catch (thrown) {
    signal?.throwIfAborted();
    if (thrown instanceof FramewrightError || thrown instanceof XmlError) return undefined;
    throw thrown;
  }
}

/** @throws FramewrightError OUTPUT_EXISTS */
async function refuseLink(path: string): Promise<void> {
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return;
  const target = await readlink(path).catch(() => 'somewhere else');
  throw new FramewrightError('OUTPUT_EXISTS', `${path} is a link to ${target}: --force writes to that photo`);
}
