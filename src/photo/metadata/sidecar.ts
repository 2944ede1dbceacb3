import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { checkOptions, type OptionKinds } from '../../base/options-check.js';
import type { Photo } from '../decode.js';
import { writeFileAtomic } from '../../files/write.js';
import type { CropRect } from '../../base/schema.js';
import { storedRect } from './orientation.js';
import { readMetadata } from './read-metadata.js';
import { isTrue } from './xmp-of-crop.js';
import { editXmp, RDF, readXmp, type XmpEdits } from './xmp.js';
import { XmlError } from '../formats/xml.js';

export interface SidecarOptions {
  /** Default: where `sidecarPathOf` says. */
  readonly path?: string;
  /** Replace a crop that was made by hand. Default false. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

const SIDECAR_OPTIONS: OptionKinds<SidecarOptions> = { path: 'text', force: 'boolean', signal: 'signal' };

export interface SidecarOutcome {
  readonly path: string;
  /** `manual`: it, or the photo, holds a crop made by hand and was left alone; `unchanged`: it says so already. */
  readonly state: 'written' | 'unchanged' | 'manual';
}

/**
 * Where a photo's sidecar is: `photo.xmp`, which Lightroom and Camera Raw read, or darktable's `photo.jpg.xmp` where
 * there is one.
 */
export async function sidecarPathOf(photoPath: string): Promise<string> {
  const { dir, name } = path.parse(photoPath);
  const darktable = `${photoPath}.xmp`;
  const exists = await access(darktable).then(
    () => true,
    () => false,
  );
  return exists ? darktable : path.join(dir, `${name}.xmp`);
}

/**
 * Says in the photo's sidecar how it is to be cropped, in Camera Raw's fields. They count in shares of the picture as
 * stored, before its EXIF orientation. Everything else in a sidecar stays as it is; the whole photo as the crop takes an
 * earlier crop back, and needs no file. A crop written here before, and not moved since, is replaced without force.
 *
 * @param crop in pixels of the upright photo.
 * @throws FramewrightError USAGE for a photo without a path; INPUT_CORRUPT, INPUT_UNREADABLE for the sidecar that is
 *   there; OUTPUT_WRITE.
 */
export async function writeSidecar(
  photo: Photo,
  crop: CropRect,
  options: SidecarOptions = {},
): Promise<SidecarOutcome> {
  checkOptions('writeSidecar', options, SIDECAR_OPTIONS);
  const { force = false, signal } = options;
  const sidecar = options.path ?? (photo.path === undefined ? undefined : await sidecarPathOf(photo.path));
  if (sidecar === undefined) {
    throw new FramewrightError('USAGE', `${photo.name} has no path: say where its sidecar goes`);
  }
  const existing = await readSidecar(sidecar);
  const wanted = cropFields(photo, crop);
  const isInSidecar = existing !== undefined && readable(sidecar, () => hasCrop(existing));
  const present = isInSidecar ? existing : (embeddedXmp(photo) ?? EMPTY);
  const state = readable(sidecar, () => compare(present, wanted, photo));
  if (state === 'other' && !force) return { path: sidecar, state: 'manual' };
  if (state === 'same' && (isInSidecar || wanted === undefined)) return { path: sidecar, state: 'unchanged' };
  const text = readable(sidecar, () => editXmp(existing ?? EMPTY, wanted ?? NO_CROP));
  await writeFileAtomic(sidecar, Buffer.from(text, 'utf8'), {
    force: existing !== undefined,
    ...(signal && { signal }),
  });
  return { path: sidecar, state: 'written' };
}

/** `none`: no crop, or one of ours, which a later one replaces. */
type CropState = 'none' | 'same' | 'other';

const SIDES = ['crs:CropTop', 'crs:CropLeft', 'crs:CropBottom', 'crs:CropRight'] as const;
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

/** Undefined for the whole photo, which is no crop. */
function cropFields(
  photo: Photo,
  crop: CropRect,
): Record<Side | 'crs:CropAngle' | 'crs:HasCrop' | typeof OURS, string> | undefined {
  if (crop.width === photo.width && crop.height === photo.height) return undefined;
  const { x, y, width, height } = storedRect(crop, photo, photo.stored.orientation ?? 1);
  const stored = storedSize(photo);
  // Six decimals are 0.03 px of the widest photo there is.
  const share = (value: number): string => String(Number(value.toFixed(6)));
  const sides = {
    'crs:CropTop': share(y / stored.height),
    'crs:CropLeft': share(x / stored.width),
    'crs:CropBottom': share((y + height) / stored.height),
    'crs:CropRight': share((x + width) / stored.width),
  };
  const ours = SIDES.map((side) => sides[side]).join(' ');
  return { 'crs:HasCrop': 'True', ...sides, 'crs:CropAngle': '0', [OURS]: ours };
}

function storedSize({ stored }: Photo): Size {
  return { width: stored.width, height: stored.height };
}

/** @throws XmlError */
function hasCrop(xmp: string): boolean {
  return isTrue(readXmp(xmp, 'crs:HasCrop')) && !isTrue(readXmp(xmp, 'crs:AlreadyApplied'));
}

/** @throws XmlError */
function compare(xmp: string, wanted: ReturnType<typeof cropFields>, photo: Photo): CropState {
  if (!hasCrop(xmp)) return wanted ? 'none' : 'same';
  if (Number(readXmp(xmp, 'crs:CropAngle') ?? 0) !== 0) return 'other';
  const { width, height } = storedSize(photo);
  // Half a pixel: other programs write the shares in other digits.
  const isAt = (shares: readonly number[]): boolean =>
    SIDES.every((side, i) => {
      const pixels = side === 'crs:CropTop' || side === 'crs:CropBottom' ? height : width;
      return Math.abs(Number(readXmp(xmp, side)) - shares[i]!) * pixels < 0.5;
    });
  if (wanted && isAt(SIDES.map((side) => Number(wanted[side])))) return 'same';
  const ours = readXmp(xmp, OURS)?.split(' ').map(Number);
  return ours?.length === SIDES.length && isAt(ours) ? 'none' : 'other';
}

async function readSidecar(sidecar: string): Promise<string | undefined> {
  const bytes = await readFile(sidecar).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw new FramewrightError('INPUT_UNREADABLE', `cannot read the sidecar ${sidecar}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  });
  if (!bytes) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FramewrightError('INPUT_CORRUPT', `${sidecar} is not in UTF-8: repair it or move it away`, { cause });
  }
}

function readable<T>(sidecar: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof XmlError)) throw thrown;
    const what = `${sidecar} is no well-formed XMP (${thrown.message}): repair it or move it away`;
    throw new FramewrightError('INPUT_CORRUPT', what, { cause: thrown });
  }
}

/** Lightroom writes what it does to a JPEG or TIFF into the file itself; damaged XMP tells of no crop. */
function embeddedXmp(photo: Photo): string | undefined {
  const { xmp } = readMetadata(photo);
  try {
    if (xmp !== undefined) readXmp(xmp, 'crs:HasCrop');
    return xmp;
  } catch {
    return undefined;
  }
}
