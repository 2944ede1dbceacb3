import type { Point, Size } from '../../base/geometry.js';
import type { CropRect } from '../../base/schema.js';
import type { Photo } from '../decode.js';
import { pointBeforeTurn, radians, type Turn } from '../turn/turn.js';
import { isMirrored, isTransposed, storedPoint, storedRect } from './orientation.js';
import { isTrue } from './xmp-of-crop.js';
import { openXmp, RDF, readXmp, settingsIn, type XmpEdits, type XmpPacket } from './xmp.js';

/** What becomes of a place where a crop is to be noted. */
export interface NotedState {
  /** `manual`: it, or the photo, holds a crop made by hand and was left alone; `unchanged`: it says so already. */
  readonly state: 'written' | 'unchanged' | 'manual';
  /**
   * Why it is left alone where no crop was made by hand. `applied`: its settings are in the photo's pixels already
   * (crs:AlreadyApplied); a crop beside them has no effect, and would have them applied once more if it had. `turned`: it
   * alone says how the photo is to be turned (tiff:Orientation), so that the crop was chosen on a picture lying down.
   */
  readonly reason?: 'applied' | 'turned';
}

/** What is known of a crop where another is to be noted. */
export interface CropPlace {
  /** The packet that is there, if any. */
  readonly existing: XmpPacket | undefined;
  /** What counts where that says nothing of a crop: the photo's own packet beside a sidecar, the sidecar beside it. */
  readonly beside: XmpPacket | undefined;
  /** A crop was made by hand in words that are not Camera Raw's. */
  readonly hasOther: boolean;
  /** It is the photo's own packet: a crop that was applied is in the pixels, and none that is there. */
  readonly isOwn: boolean;
}

/** How a place comes to say a crop in Camera Raw's fields, or why it is left as it is. */
export function settleCrop(
  photo: Photo,
  crop: CropRect,
  { existing, beside, hasOther, isOwn }: CropPlace,
  force: boolean,
): { readonly edits: XmpEdits } | NotedState {
  const wanted = cropFields(photo, crop);
  const isApplied = existing !== undefined && isTrue(readXmp(existing, 'crs:AlreadyApplied'));
  if (isApplied && !wanted) return { state: 'unchanged' };
  const isThere = existing !== undefined && hasCrop(existing) && !(isOwn && isApplied);
  const present = isThere ? existing : (beside ?? NOTHING);
  const state = hasOther ? 'other' : compare(present, wanted, photo);
  if (state === 'other' && !force) return { state: 'manual' };
  if (isOwn && !wanted && !isThere) return { state: 'unchanged' };
  const applied = isApplied && wanted ? settingsIn(existing).filter((name) => !NEUTRAL.test(name)) : [];
  if (applied.length > 0 && !force) return { state: 'manual', reason: 'applied' };
  if (existing && wanted && !force && isTurnedBy(existing, photo)) return { state: 'manual', reason: 'turned' };
  const isSaid = state === 'same' && (isThere || wanted === undefined) && !(isApplied && wanted);
  if (isSaid) return { state: 'unchanged' };
  return {
    edits: {
      ...(wanted ?? NO_CROP),
      ...(wanted && sizeFields(photo, existing)),
      // A straight photo is what an earlier turn is taken back to.
      ...(!wanted && existing && angleIn(existing) !== 0 && { 'crs:CropAngle': '0' }),
      // Ours is yet to be applied; what is in the pixels must not be once more.
      ...(isApplied && wanted && { 'crs:AlreadyApplied': 'False' }),
      ...Object.fromEntries(applied.map((name) => [name, undefined])),
    },
  };
}

/** `none`: no crop, or one of ours, which a later one replaces. */
type CropState = 'none' | 'same' | 'other';

export const SIDES = ['crs:CropTop', 'crs:CropLeft', 'crs:CropBottom', 'crs:CropRight'] as const;
type Side = (typeof SIDES)[number];

/** The sides as we wrote them: a crop that has been moved since is one made by hand. */
const OURS = 'framewright:Crop';

/** Every property that noting a crop may set or take away, but what --force takes out. */
export const CROP_PROPERTIES: ReadonlySet<string> = new Set([
  ...SIDES,
  ...['crs:HasCrop', 'crs:CropAngle', OURS, 'tiff:ImageWidth', 'tiff:ImageLength', 'tiff:Orientation'],
]);

const NO_CROP: XmpEdits = { 'crs:HasCrop': 'False', [OURS]: undefined };

const EMPTY = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;

/** What a packet begins as. */
export const NOTHING = openXmp(EMPTY);

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
function sizeFields({ stored, raw }: Photo, existing: XmpPacket | undefined): XmpEdits {
  const { width, height } = raw ?? stored;
  const fields = {
    'tiff:ImageWidth': String(width),
    'tiff:ImageLength': String(height),
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
