import type { Point } from '../../base/geometry.js';
import { placedElements, withoutThem, type Placed } from './list-entries.js';
import { isTransposed, uprightPoint, type PixelChange } from './orientation.js';
import { straightPoint } from '../turn/turn.js';
import { RDF } from './xmp.js';
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
  /** Of the value. */
  readonly start: number;
  readonly end: number;
  /** The attribute or element that holds it. */
  readonly node: { readonly start: number; readonly end: number };
}

interface PlacedArea extends Placed {
  readonly value: Area;
  readonly fields: readonly Field[];
  readonly write: (area: Area) => readonly Splice[];
}

/**
 * XMP whose regions, of faces mostly, lie where the crop shows them. They count in the stored pixels, or upright ones
 * where the dimensions beside them say so. A region whose middle was cropped away is taken out, with its entry of the
 * list where nothing else is left in that.
 */
export function regionsOfCrop(xmp: string, asked: PixelChange): string {
  if (![AREA, MICROSOFT, DIMENSIONS].some((namespace) => xmp.includes(namespace))) return xmp;
  try {
    const placed = placedElements(parseXml(xmp));
    const sizes = placed.map(({ element }) => fieldsOf(xmp, element, DIMENSIONS)).filter(({ w, h }) => w && h);
    const seen = asked.kept?.upright ?? asked;
    const turned = sizes.some(({ w, h }) => isUprightSize(Number(w!.text), Number(h!.text), seen));
    const change = turned ? seen : asked;
    const orientation = turned ? 1 : change.orientation;
    const splices: Splice[] = sizes.flatMap(({ w, h }) => [
      { ...w!, by: String(change.output.width) },
      { ...h!, by: String(change.output.height) },
    ]);
    const gone: PlacedArea[] = [];
    const kept: PlacedArea[] = [];
    for (const area of placed.flatMap((each) => areasIn(xmp, each))) {
      const moved = areaOfCrop(area.value, change, orientation);
      (moved ? kept : gone).push(area);
      if (moved) splices.push(...area.write(moved));
    }
    return spliced(xmp, [...splices, ...withoutThem(gone, kept, removalOf)]);
  } catch (thrown) {
    if (thrown instanceof XmlError) return xmp;
    throw thrown;
  }
}

/** The structure that is the area; of a node that may say other things too, the area's fields alone. */
function removalOf({ element, fields }: PlacedArea): Splice[] {
  const isNode = element.namespace === RDF;
  return (isNode ? fields.map(({ node }) => node) : [element]).map(({ start, end }) => ({ start, end, by: '' }));
}

/** The simple fields of a structure, which XMP writes as attributes or as elements. */
function fieldsOf(
  xmp: string,
  { attributes, children }: XmlElement,
  namespace: string,
): Record<string, Field | undefined> {
  const inAttributes = attributes
    .filter((attribute) => attribute.namespace === namespace)
    .map((node): [string, Field] => [
      node.localName,
      { text: node.value, start: node.valueStart, end: node.valueEnd, node },
    ]);
  const inElements = children
    .filter((child) => child.namespace === namespace && child.children.length === 0 && !child.selfClosing)
    .map((node): [string, Field] => [
      node.localName,
      { text: xmp.slice(node.contentStart, node.contentEnd), start: node.contentStart, end: node.contentEnd, node },
    ]);
  return Object.fromEntries([...inAttributes, ...inElements]);
}

/** None, one, or both where a structure is described in either way. */
function areasIn(xmp: string, { element, entry }: Placed): PlacedArea[] {
  return [metadataWorkingGroupArea(xmp, element), microsoftArea(xmp, element)]
    .filter((area) => area !== undefined)
    .map((area) => ({ element, entry, ...area }));
}

function metadataWorkingGroupArea(xmp: string, element: XmlElement): Omit<PlacedArea, keyof Placed> | undefined {
  const { x, y, w, h, unit } = fieldsOf(xmp, element, AREA);
  if (!x || !y || !w || !h || (unit && unit.text !== 'normalized')) return undefined;
  const [middleX, middleY, width, height] = [x, y, w, h].map(({ text }) => Number(text)) as [
    number,
    number,
    number,
    number,
  ];
  return {
    value: [middleX - width / 2, middleY - height / 2, middleX + width / 2, middleY + height / 2],
    fields: unit ? [x, y, w, h, unit] : [x, y, w, h],
    write: ([left, top, right, bottom]) => [
      { ...x, by: share((left + right) / 2) },
      { ...y, by: share((top + bottom) / 2) },
      { ...w, by: share(right - left) },
      { ...h, by: share(bottom - top) },
    ],
  };
}

function microsoftArea(xmp: string, element: XmlElement): Omit<PlacedArea, keyof Placed> | undefined {
  const { Rectangle: rectangle } = fieldsOf(xmp, element, MICROSOFT);
  // What has more numbers is no rectangle, however many they are.
  const sides = rectangle?.text.split(',', 5).map(Number);
  if (!rectangle || sides?.length !== 4) return undefined;
  const [left, top, width, height] = sides as [number, number, number, number];
  return {
    value: [left, top, left + width, top + height],
    fields: [rectangle],
    write: (area) => [
      { ...rectangle, by: [area[0], area[1], area[2] - area[0], area[3] - area[1]].map(share).join(', ') },
    ],
  };
}

/** Cut at the crop's edges; undefined where its middle is outside. In a straightened photo it stays upright about its middle. */
function areaOfCrop(
  [left, top, right, bottom]: Area,
  { stored, crop, output, at = { ...output, x: 0, y: 0 }, orientation, turn }: PixelChange,
  drawnAt: number,
): Area | undefined {
  const upright = isTransposed(orientation) ? { width: stored.height, height: stored.width } : stored;
  const drawnOn = drawnAt === orientation ? stored : upright;
  const corner = (x: number, y: number): Point =>
    uprightPoint([x * drawnOn.width, y * drawnOn.height], drawnOn, drawnAt);
  const [a, b] = [corner(left, top), corner(right, bottom)];
  const middle: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const moved = turn ? straightPoint(middle, turn) : middle;
  const inCrop = ([x, y]: Point): Point => [
    (x + moved[0] - middle[0] - crop.x) / crop.width,
    (y + moved[1] - middle[1] - crop.y) / crop.height,
  ];
  const [[ax, ay], [bx, by]] = [inCrop(a), inCrop(b)];
  const isInside = (middle: number): boolean => middle >= 0 && middle < 1;
  // A value that is no number is inside nothing.
  if (!isInside((ax + bx) / 2) || !isInside((ay + by) / 2)) return undefined;
  const clamp = (value: number): number => Math.max(0, Math.min(1, value));
  const across = (value: number): number => (at.x + clamp(value) * at.width) / output.width;
  const down = (value: number): number => (at.y + clamp(value) * at.height) / output.height;
  return [across(Math.min(ax, bx)), down(Math.min(ay, by)), across(Math.max(ax, bx)), down(Math.max(ay, by))];
}

/** Only a quarter turn tells the upright size from the stored one. */
function isUprightSize(width: number, height: number, { stored, orientation }: PixelChange): boolean {
  const isSquare = stored.width === stored.height;
  return isTransposed(orientation) && !isSquare && width * stored.width === height * stored.height;
}

function share(value: number): string {
  return String(Number(value.toFixed(6)));
}
