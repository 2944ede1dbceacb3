import type { Point } from '../../base/geometry.js';
import { joined, md5, readResources, RESOURCE, withData, type Resource } from '../formats/photoshop.js';
import { outputPoint, uprightPoint, type PixelChange } from './orientation.js';

/**
 * Copies of what the file holds elsewhere (ICC, EXIF, XMP); thumbnails, which show what was cropped away; and marks of
 * the editor at places in the picture that was: grid and guides, slices, colour samplers, counted objects.
 */
const LEFT_OUT = new Set([
  0x0408, 0x0409, 0x040c, 0x040e, 0x040f, 0x041a, 0x0422, 0x0423, 0x0424, 0x0431, 0x0435, 0x0438,
]);

interface DescribedResources {
  /** Undefined where none is left. */
  readonly resources: Uint8Array | undefined;
  readonly leftOut: readonly string[];
}

/** Photoshop's resources that go with a crop: paths where it shows what they are drawn around. */
export function resourcesOfCrop(photoshop: Uint8Array, change: PixelChange): DescribedResources {
  const all = readResources(photoshop).filter(({ id }) => !LEFT_OUT.has(id));
  const moved = withExactRecord(all).map((each) => ({ each, result: isPath(each) ? pathOfCrop(each, change) : each }));
  const gone = moved.filter(({ result }) => !result).map(({ each: { name } }) => name);
  const kept = moved.map(({ result }) => result).filter((resource) => resource !== undefined);
  return {
    // A clipping path that is not there would have a page layout cut out nothing, or everything.
    resources: joined(kept.filter((each) => each.id !== RESOURCE.clippingPathName || !gone.includes(nameIn(each)))),
    leftOut: gone.map((name) => `path ${JSON.stringify(name)}, which is damaged or too far outside the crop`),
  };
}

function isPath({ id }: Resource): boolean {
  return (id >= RESOURCE.firstPath && id <= RESOURCE.lastPath) || id === RESOURCE.workPath;
}

/** Of the path that clips: a Pascal string. */
function nameIn({ data }: Resource): string {
  return Buffer.from(data.subarray(1, 1 + (data[0] ?? 0))).toString('latin1');
}

/** A TIFF fills the IPTC record up with NULs, which its digest does not count. */
function withExactRecord(all: readonly Resource[]): readonly Resource[] {
  const digest = all.find(({ id }) => id === RESOURCE.iptcDigest)?.data;
  if (!digest) return all;
  return all.map((each) => {
    if (each.id !== RESOURCE.iptc) return each;
    for (let end = each.data.length; end > each.data.length - 4 && end >= 0; end--) {
      const exact = each.data.subarray(0, end);
      if (md5(exact).equals(digest)) return withData(each, exact);
      if (each.data[end - 1] !== 0) break;
    }
    return each;
  });
}

const RECORD_BYTES = 26;
const KNOTS = new Set([1, 2, 4, 5]);
/** Lengths of subpaths, fill rules: nothing of them is a place. */
const PLACELESS = new Set([0, 3, 6, 8]);
const CLIPBOARD = 7;

/** Signed numbers of 8 bits before the point and 24 behind it, of which the specification allows -16 up to below 16. */
const ONE = 2 ** 24;
const LIMIT = 16 * ONE;

/** Undefined where it cannot be read, or would reach further outside the crop than a path can. */
function pathOfCrop(path: Resource, change: PixelChange): Resource | undefined {
  if (path.data.length % RECORD_BYTES !== 0) return undefined;
  const data = Buffer.from(path.data);
  const { stored, orientation, output } = change;
  // Vertical component first.
  const moved = (at: number): Point => {
    const [y, x] = [data.readInt32BE(at) / ONE, data.readInt32BE(at + 4) / ONE];
    const upright = uprightPoint([x * stored.width, y * stored.height], stored, orientation);
    const [outputX, outputY] = outputPoint(upright, change);
    return [Math.round((ONE * outputX) / output.width), Math.round((ONE * outputY) / output.height)];
  };
  const write = ([x, y]: Point, at: number): boolean => {
    if (x < -LIMIT || x >= LIMIT || y < -LIMIT || y >= LIMIT) return false;
    data.writeInt32BE(y, at);
    data.writeInt32BE(x, at + 4);
    return true;
  };
  for (let at = 0; at < data.length; at += RECORD_BYTES) {
    const kind = data.readUInt16BE(at);
    if (KNOTS.has(kind)) {
      for (const pointAt of [at + 2, at + 10, at + 18]) if (!write(moved(pointAt), pointAt)) return undefined;
    } else if (kind === CLIPBOARD) {
      const [[ax, ay], [bx, by]] = [moved(at + 2), moved(at + 10)];
      if (!write([Math.min(ax, bx), Math.min(ay, by)], at + 2)) return undefined;
      if (!write([Math.max(ax, bx), Math.max(ay, by)], at + 10)) return undefined;
    } else if (!PLACELESS.has(kind)) return undefined;
  }
  return withData(path, data);
}
