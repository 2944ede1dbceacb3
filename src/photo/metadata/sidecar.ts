import { defined } from '../../base/defined.js';
import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { checkOptions, type OptionKinds } from '../../base/options-check.js';
import type { Photo } from '../decode.js';
import { readRegularFile } from '../../files/read-regular.js';
import { writeFileAtomic } from '../../files/write.js';
import type { CropRect } from '../../base/schema.js';
import { extractable } from '../render.js';
import { NOTHING, settleCrop, type NotedState } from './crop-in-xmp.js';
import { hasDarktableCrop } from './darktable.js';
import { readMetadata } from './read-metadata.js';
import { MAX_SIDECAR_BYTES, otherFileOf, sidecarPathOf } from './sidecar-path.js';
import { isTrue } from './xmp-of-crop.js';
import { editXmp, openXmp, readXmp, type XmpEdits, type XmpPacket } from './xmp.js';
import { decodeXmlText, encodeXmlText, type XmlText } from '../formats/xml-text.js';
import { XmlError, XmlTooLargeError } from '../formats/xml.js';

export { sidecarPathOf };

export interface SidecarOptions {
  /** Default: where `sidecarPathOf` says. */
  readonly path?: string;
  /** Replace a crop that was made by hand, and write to a sidecar that is another file's or a link. Default false. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

const SIDECAR_OPTIONS: OptionKinds<SidecarOptions> = { path: 'text', force: 'boolean', signal: 'signal' };

export interface SidecarOutcome extends NotedState {
  readonly path: string;
}

/**
 * Says in the photo's sidecar how it is to be cropped, in Camera Raw's fields. They count in shares of the picture as
 * stored, before its EXIF orientation. Everything else in a sidecar stays as it is; the whole photo as the crop takes an
 * earlier crop back, and needs no file. A crop written here before, and not moved since, is replaced without force.
 *
 * A photo that was straightened has its crop as a rectangle turned in the picture as stored: its upper left and lower right
 * corner, and the angle it is turned by, clockwise.
 *
 * @param crop in pixels of the upright photo, or of the straight one if it is turned.
 * @throws FramewrightError USAGE for a crop that is not inside the photo in whole pixels, or a photo without a path;
 *   INPUT_CORRUPT, INPUT_UNREADABLE, INPUT_TOO_LARGE for the sidecar that is there; OUTPUT_EXISTS where that is another
 *   file's, or a link; OUTPUT_WRITE.
 */
export async function writeSidecar(
  photo: Photo,
  crop: CropRect,
  options: SidecarOptions = {},
): Promise<SidecarOutcome> {
  checkOptions('writeSidecar', options, SIDECAR_OPTIONS);
  const { force = false, signal } = options;
  extractable(photo, crop);
  const file = options.path ?? (photo.path === undefined ? undefined : await sidecarPathOf(photo.path));
  if (file === undefined) throw new FramewrightError('USAGE', `${photo.name} has no path: say where its sidecar goes`);
  if (!force) await refuseLink(file);
  const there = await readSidecar(file, signal);
  const existing = there && readable(file, () => openXmp(there.text));
  const other = existing && photo.path !== undefined ? otherFileOf(existing, photo.path) : undefined;
  if (other !== undefined && !force) {
    throw new FramewrightError(
      'OUTPUT_EXISTS',
      `${file} is the sidecar of ${other}: --force writes to it all the same`,
    );
  }
  const place = {
    existing,
    beside: embeddedXmp(photo),
    // A history inside the photo is that of its pixels.
    hasOther: existing !== undefined && hasDarktableCrop(existing),
    isOwn: false,
  };
  const settled = settleCrop(photo, crop, place, force);
  if ('state' in settled) return { path: file, ...settled };
  const text = readable(file, () =>
    editXmp(existing ?? NOTHING, { ...settled.edits, ...(!existing && ownerOf(photo)) }),
  );
  const bytes = encodeXmlText({ text, encoding: there?.encoding ?? 'utf-8' });
  await writeFileAtomic(file, bytes, { force: force || existing !== undefined, ...defined({ signal }) });
  return { path: file, state: 'written' };
}

/** Of a raw file, which may have a JPEG of its name beside it: as Adobe's programs say it. */
function ownerOf({ raw, path: file }: Photo): XmpEdits {
  const extension = raw && file !== undefined ? path.extname(file).slice(1).toUpperCase() : '';
  return extension === '' ? {} : { 'photoshop:SidecarForExtension': extension };
}

/**
 * Whoever may put files beside the photos could have one elsewhere written to.
 * @throws FramewrightError OUTPUT_EXISTS
 */
async function refuseLink(path: string): Promise<void> {
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return;
  const target = await readlink(path).catch(() => 'somewhere else');
  throw new FramewrightError('OUTPUT_EXISTS', `${path} is a link to ${target}: --force writes to that file`);
}

export async function readSidecar(path: string, signal: AbortSignal | undefined): Promise<XmlText | undefined> {
  const bytes = await readRegularFile(path, { what: 'sidecar', maxBytes: MAX_SIDECAR_BYTES, signal });
  if (!bytes) return undefined;
  const decoded = decodeXmlText(bytes);
  if (decoded) return decoded;
  throw new FramewrightError('INPUT_CORRUPT', `${path} is not in UTF-8 or UTF-16: repair it or move it away`);
}

export function readable<T>(sidecar: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof XmlError)) throw thrown;
    const isTooLarge = thrown instanceof XmlTooLargeError;
    const kind = isTooLarge ? 'larger or deeper than any XMP is' : 'no well-formed XMP';
    const what = `${sidecar} is ${kind} (${thrown.message}): repair it or move it away`;
    throw new FramewrightError(isTooLarge ? 'INPUT_TOO_LARGE' : 'INPUT_CORRUPT', what, { cause: thrown });
  }
}

/**
 * Lightroom writes what it does to a JPEG or TIFF into the file itself; a crop that was applied is in the pixels, and
 * damaged XMP tells of none.
 */
export function embeddedXmp(photo: Photo): XmpPacket | undefined {
  const { xmp } = readMetadata(photo);
  try {
    const packet = xmp === undefined ? undefined : openXmp(xmp);
    return packet && isTrue(readXmp(packet, 'crs:AlreadyApplied')) ? undefined : packet;
  } catch {
    return undefined;
  }
}
