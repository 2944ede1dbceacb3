import { isTransposed, uprightPoint, type PixelChange } from './orientation.js';
import { parseXml, spliced, XmlError, type Splice, type XmlElement } from '../formats/xml.js';

/** Metadata Working Group, Guidelines for Handling Image Metadata 2.0, section 5.9: an area's middle and size. */
const AREA = 'http://ns.adobe.com/xmp/sType/Area#';
/** The size of the picture the areas were drawn on. */
const DIMENSIONS = 'http://ns.adobe.com/xap/1.0/sType/Dimensions#';
/** Microsoft's people tagging: `left, top, width, height`. */
const MICROSOFT = 'http://ns.microsoft.com/photo/1.2/t/Region#';

/** In shares of the picture. */
type Area = readonly [left: number, top: number, right: number, bottom: number];

interface Field {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * XMP whose regions, of faces mostly, lie where the crop shows them. They count in the stored pixels, or upright ones
 * where the dimensions beside them say so. A region whose middle was cropped away is taken out.
 */
export function regionsOfCrop(xmp: string, change: PixelChange): string {
  if (![AREA, MICROSOFT, DIMENSIONS].some((namespace) => xmp.includes(namespace))) return xmp;
  try {
    const found = withEntries(parseXml(xmp));
    const sizes = found.map(({ element }) => fieldsOf(xmp, element, DIMENSIONS)).filter(({ w, h }) => w && h);
    const turned = sizes.some(({ w, h }) => isUprightSize(Number(w!.text), Number(h!.text), change));
    const orientation = turned ? 1 : change.orientation;
    const removed: Splice[] = [];
    const changed: Splice[] = sizes.flatMap(({ w, h }) => [
      { ...w!, by: String(change.output.width) },
      { ...h!, by: String(change.output.height) },
    ]);
    for (const { element, entry } of found) {
      const area = areaIn(xmp, element);
      if (!area) continue;
      const moved = areaOfCrop(area.value, change, orientation);
      if (moved) changed.push(...area.write(moved));
      else removed.push({ start: entry.start, end: entry.end, by: '' });
    }
    const isGone = ({ start, end }: Splice): boolean => removed.some((gone) => start >= gone.start && end <= gone.end);
    return spliced(xmp, [...removed, ...changed.filter((splice) => !isGone(splice))]);
  } catch (thrown) {
    if (thrown instanceof XmlError) return xmp;
    throw thrown;
  }
}

/** Every element, with the list entry it is in, or itself. */
function withEntries(element: XmlElement, entry = element): { element: XmlElement; entry: XmlElement }[] {
  const holder = element.localName === 'li' ? element : entry;
  return [{ element, entry: holder }, ...element.children.flatMap((child) => withEntries(child, holder))];
}

/** The simple fields of a structure, which XMP writes as attributes or as elements. */
function fieldsOf(
  xmp: string,
  { attributes, children }: XmlElement,
  namespace: string,
): Record<string, Field | undefined> {
  const inAttributes = attributes
    .filter((attribute) => attribute.namespace === namespace)
    .map(({ localName, value, valueStart, valueEnd }) => [
      localName,
      { text: value, start: valueStart, end: valueEnd },
    ]);
  const inElements = children
    .filter((child) => child.namespace === namespace && child.children.length === 0 && !child.selfClosing)
    .map(({ localName, contentStart, contentEnd }) => [
      localName,
      { text: xmp.slice(contentStart, contentEnd), start: contentStart, end: contentEnd },
    ]);
  return Object.fromEntries([...inAttributes, ...inElements]) as Record<string, Field | undefined>;
}

function areaIn(xmp: string, element: XmlElement): { value: Area; write: (area: Area) => Splice[] } | undefined {
  const { x, y, w, h, unit } = fieldsOf(xmp, element, AREA);
  if (x && y && w && h && (unit === undefined || unit.text === 'normalized')) {
    const [middleX, middleY, width, height] = [x, y, w, h].map(({ text }) => Number(text)) as [
      number,
      number,
      number,
      number,
    ];
    return {
      value: [middleX - width / 2, middleY - height / 2, middleX + width / 2, middleY + height / 2],
      write: ([left, top, right, bottom]) => [
        { ...x, by: share((left + right) / 2) },
        { ...y, by: share((top + bottom) / 2) },
        { ...w, by: share(right - left) },
        { ...h, by: share(bottom - top) },
      ],
    };
  }
  const { Rectangle: rectangle } = fieldsOf(xmp, element, MICROSOFT);
  const sides = rectangle?.text.split(',').map(Number);
  if (!rectangle || sides?.length !== 4) return undefined;
  const [left, top, width, height] = sides as [number, number, number, number];
  return {
    value: [left, top, left + width, top + height],
    write: (area) => {
      const by = [area[0], area[1], area[2] - area[0], area[3] - area[1]].map(share).join(', ');
      return [{ ...rectangle, by }];
    },
  };
}

/** Cut at the crop's edges; undefined where its middle is outside. */
function areaOfCrop(
  [left, top, right, bottom]: Area,
  { stored, crop, orientation }: PixelChange,
  drawnAt: number,
): Area | undefined {
  const upright = isTransposed(orientation) ? { width: stored.height, height: stored.width } : stored;
  const drawnOn = drawnAt === orientation ? stored : upright;
  const corner = (x: number, y: number): readonly [number, number] => {
    const [uprightX, uprightY] = uprightPoint([x * drawnOn.width, y * drawnOn.height], drawnOn, drawnAt);
    return [(uprightX - crop.x) / crop.width, (uprightY - crop.y) / crop.height];
  };
  const [[ax, ay], [bx, by]] = [corner(left, top), corner(right, bottom)];
  const isInside = (middle: number): boolean => middle >= 0 && middle < 1;
  // A value that is no number is inside nothing.
  if (!isInside((ax + bx) / 2) || !isInside((ay + by) / 2)) return undefined;
  const clamp = (value: number): number => Math.max(0, Math.min(1, value));
  return [clamp(Math.min(ax, bx)), clamp(Math.min(ay, by)), clamp(Math.max(ax, bx)), clamp(Math.max(ay, by))];
}

/** Only a quarter turn tells the upright size from the stored one. */
function isUprightSize(width: number, height: number, { stored, orientation }: PixelChange): boolean {
  const isSquare = stored.width === stored.height;
  return isTransposed(orientation) && !isSquare && width * stored.width === height * stored.height;
}

function share(value: number): string {
  return String(Number(value.toFixed(6)));
}
