import { defined } from '../../base/defined.js';
import { lstat, readlink } from 'node:fs/promises';
import { FramewrightError } from '../../base/errors.js';
import type { Point, Size } from '../../base/geometry.js';
import { checkOptions, type OptionKinds } from '../../base/options-check.js';
import type { Photo } from '../decode.js';
import { readRegularFile } from '../../files/read-regular.js';
import { writeFileAtomic } from '../../files/write.js';
import type { CropRect } from '../../base/schema.js';
import { extractable } from '../render.js';
import { hasDarktableCrop } from './darktable.js';
import { pointBeforeTurn, radians, type Turn } from '../turn/turn.js';
import { isMirrored, isTransposed, storedPoint, storedRect } from './orientation.js';
import { readMetadata } from './read-metadata.js';
import { MAX_SIDECAR_BYTES, otherFileOf, sidecarPathOf } from './sidecar-path.js';
import { isTrue } from './xmp-of-crop.js';
import { editXmp, openXmp, RDF, readXmp, settingsIn, type XmpEdits, type XmpPacket } from './xmp.js';
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

export interface SidecarOutcome {
  readonly path: string;
  /** `manual`: it, or the photo, holds a crop made by hand and was left alone; `unchanged`: it says so already. */
  readonly state: 'written' | 'unchanged' | 'manual';
  /**
   * Why it is left alone where no crop was made by hand. `applied`: its settings are in the photo's pixels already
   * (crs:AlreadyApplied); a crop beside them has no effect, and would have them applied once more if it had. `turned`: it
   * alone says how the photo is to be turned (tiff:Orientation), so that the crop was chosen on a picture lying down.
   */
  readonly reason?: 'applied' | 'turned';
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
  const path = options.path ?? (photo.path === undefined ? undefined : await sidecarPathOf(photo.path));
  if (path === undefined) throw new FramewrightError('USAGE', `${photo.name} has no path: say where its sidecar goes`);
  if (!force) await refuseLink(path);
  const file = await readSidecar(path, signal);
  const existing = file && readable(path, () => openXmp(file.text));
  const other = existing && photo.path !== undefined ? otherFileOf(existing, photo.path) : undefined;
  if (other !== undefined && !force) {
    throw new FramewrightError(
      'OUTPUT_EXISTS',
      `${path} is the sidecar of ${other}: --force writes to it all the same`,
    );
  }
  const wanted = cropFields(photo, crop);
  const isApplied = existing !== undefined && isTrue(readXmp(existing, 'crs:AlreadyApplied'));
  if (isApplied && !wanted) return { path, state: 'unchanged' };
  const isInSidecar = existing !== undefined && hasCrop(existing);
  const present = isInSidecar ? existing : (embeddedXmp(photo) ?? NOTHING);
  // A history inside the photo is that of its pixels.
  const state = existing && hasDarktableCrop(existing) ? 'other' : compare(present, wanted, photo);
  if (state === 'other' && !force) return { path, state: 'manual' };
  const applied = isApplied && wanted ? settingsIn(existing).filter((name) => !NEUTRAL.test(name)) : [];
  if (applied.length > 0 && !force) return { path, state: 'manual', reason: 'applied' };
  if (existing && wanted && !force && isTurnedBy(existing, photo)) return { path, state: 'manual', reason: 'turned' };
  const isSaid = state === 'same' && (isInSidecar || wanted === undefined) && !(isApplied && wanted);
  if (isSaid) return { path, state: 'unchanged' };
  const edits: XmpEdits = {
    ...(wanted ?? NO_CROP),
    ...(wanted && sizeFields(photo, existing)),
    // A straight photo is what an earlier turn is taken back to.
    ...(!wanted && existing && angleIn(existing) !== 0 && { 'crs:CropAngle': '0' }),
    // Ours is yet to be applied; what is in the pixels must not be once more.
    ...(isApplied && wanted && { 'crs:AlreadyApplied': 'False' }),
    ...Object.fromEntries(applied.map((name) => [name, undefined])),
  };
  const text = readable(path, () => editXmp(existing ?? NOTHING, edits));
  const bytes = encodeXmlText({ text, encoding: file?.encoding ?? 'utf-8' });
  await writeFileAtomic(path, bytes, { force: force || existing !== undefined, ...defined({ signal }) });
  return { path, state: 'written' };
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

/** `none`: no crop, or one of ours, which a later one replaces. */
type CropState = 'none' | 'same' | 'other';

export const SIDES = ['crs:CropTop', 'crs:CropLeft', 'crs:CropBottom', 'crs:CropRight'] as const;
type Side = (typeof SIDES)[number];

/** The sides as we wrote them: a crop that has been moved since is one made by hand. */
const OURS = 'framewright:Crop';

const NO_CROP: XmpEdits = { 'crs:HasCrop': 'False', [OURS]: undefined };

const EMPTY = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;

const NOTHING = openXmp(EMPTY);

/** Camera Raw's properties that change no pixel by themselves. */
const NEUTRAL = /^crs:(?:Version|ProcessVersion|HasSettings|HasCrop|AlreadyApplied|Crop\w*|RawFileName)$/;

/** Undefined for the whole photo, which is no crop. */
function cropFields(
  photo: Photo,
  crop: CropRect,
): Record<Side | 'crs:CropAngle' | 'crs:HasCrop' | typeof OURS, string> | undefined {
  const { turn } = photo;
  if (!turn && crop.width === photo.width && crop.height === photo.height) return undefined;
  const stored = storedSize(photo);
  const orientation = photo.stored.orientation ?? 1;
  const { corners, angleDeg } = turn
    ? turnedInStored(crop, turn, orientation)
    : { corners: cornersOf(storedRect(crop, photo, orientation)), angleDeg: 0 };
  const [[left, top], [right, bottom]] = corners;
  // Six decimals are 0.03 px of the widest photo there is.
  const share = (value: number): string => String(Number(value.toFixed(6)));
  const sides = {
    'crs:CropTop': share(top / stored.height),
    'crs:CropLeft': share(left / stored.width),
    'crs:CropBottom': share(bottom / stored.height),
    'crs:CropRight': share(right / stored.width),
  };
  const angle = share(angleDeg);
  const ours = [...SIDES.map((side) => sides[side]), ...(angleDeg === 0 ? [] : [angle])].join(' ');
  return { 'crs:HasCrop': 'True', ...sides, 'crs:CropAngle': angle, [OURS]: ours };
}

/**
 * The picture the shares are of, where nothing says it yet. Camera Raw writes it; darktable takes a crop beside none for one
 * of a picture of no size (lightroom.c), and is left with a tenth of each side.
 */
function sizeFields({ stored }: Photo, existing: XmpPacket | undefined): XmpEdits {
  const fields = {
    'tiff:ImageWidth': String(stored.width),
    'tiff:ImageLength': String(stored.height),
    'tiff:Orientation': String(stored.orientation ?? 1),
  } as const satisfies XmpEdits;
  const isNew = ([name]: [string, string]): boolean =>
    existing === undefined || readXmp(existing, name as keyof typeof fields) === undefined;
  return Object.fromEntries(Object.entries(fields).filter(isNew));
}

type Corners = readonly [upperLeft: Point, lowerRight: Point];

function cornersOf({ x, y, width, height }: CropRect): Corners {
  return [
    [x, y],
    [x + width, y + height],
  ];
}

/**
 * A crop of the straight photo in the stored pixels: a rectangle turned about its middle the other way than the photo was,
 * and by the mirror's way where that is mirrored. Camera Raw says of it the corners that are the upper left and the lower
 * right one before it is turned, and the angle, clockwise
 * (https://community.adobe.com/t5/lightroom-classic-discussions/sdk-computing-the-corners-of-a-crop-rectangle/td-p/12995794).
 */
function turnedInStored(
  crop: CropRect,
  turn: Turn,
  orientation: number,
): { readonly corners: Corners; readonly angleDeg: number } {
  const middle = pointBeforeTurn([crop.x + crop.width / 2, crop.y + crop.height / 2], turn);
  const [x, y] = storedPoint(middle, turn.upright, orientation);
  const [width, height] = isTransposed(orientation) ? [crop.height, crop.width] : [crop.width, crop.height];
  const angleDeg = isMirrored(orientation) ? turn.angleDeg : -turn.angleDeg;
  const [cos, sin] = [Math.cos(radians(angleDeg)), Math.sin(radians(angleDeg))];
  const [dx, dy] = [(cos * width - sin * height) / 2, (sin * width + cos * height) / 2];
  return {
    corners: [
      [x - dx, y - dy],
      [x + dx, y + dy],
    ],
    angleDeg,
  };
}

function storedSize({ stored }: Photo): Size {
  return { width: stored.width, height: stored.height };
}

export function hasCrop(packet: XmpPacket): boolean {
  return isTrue(readXmp(packet, 'crs:HasCrop'));
}

/** Where the file says how it lies, programs differ in whom they believe; we believe the file. */
export function isTurnedBy(packet: XmpPacket, { stored }: Photo): boolean {
  const orientation = Number(readXmp(packet, 'tiff:Orientation') ?? 1);
  return (stored.orientation ?? 1) === 1 && orientation >= 2 && orientation <= 8;
}

function compare(packet: XmpPacket, wanted: ReturnType<typeof cropFields>, photo: Photo): CropState {
  if (!hasCrop(packet)) return wanted ? 'none' : 'same';
  const { width, height } = storedSize(photo);
  // Half a pixel: other programs write the shares in other digits.
  const isAt = (shares: readonly number[], angleDeg: number): boolean =>
    Math.abs(angleIn(packet) - angleDeg) < SAME_ANGLE_DEG &&
    SIDES.every((side, i) => {
      const pixels = side === 'crs:CropTop' || side === 'crs:CropBottom' ? height : width;
      return Math.abs(Number(readXmp(packet, side)) - shares[i]!) * pixels < 0.5;
    });
  const isWanted =
    wanted &&
    isAt(
      SIDES.map((side) => Number(wanted[side])),
      Number(wanted['crs:CropAngle']),
    );
  if (isWanted) return 'same';
  const ours = cropWeWrote(packet);
  return ours && isAt(ours.sides, ours.angleDeg) ? 'none' : 'other';
}

/** Turns a corner of the largest photo by less than a pixel. */
const SAME_ANGLE_DEG = 0.001;

/** By which a crop is turned, clockwise. */
export function angleIn(packet: XmpPacket): number {
  return Number(readXmp(packet, 'crs:CropAngle') ?? 0);
}

/** Top, left, bottom and right as shares, and the angle, where a crop was written here. */
export function cropWeWrote(
  packet: XmpPacket,
): { readonly sides: readonly number[]; readonly angleDeg: number } | undefined {
  const ours = readXmp(packet, OURS)?.split(' ').map(Number);
  if (ours?.length !== SIDES.length && ours?.length !== SIDES.length + 1) return undefined;
  return { sides: ours.slice(0, SIDES.length), angleDeg: ours[SIDES.length] ?? 0 };
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
