import { editXmp, XMP_NAMESPACES } from './xmp.js';
import { parseXml, XmlError, type XmlElement } from '../formats/xml.js';

const GAIN_MAP = 'GainMap';

/**
 * Google's list of what follows the photo in its file, brought up to date: readers find a gain map by the lengths it
 * names. What a crop no longer has (a motion photo's video) goes from it, and the list with the last of them.
 *
 * @param gainMapBytes length of the crop's gain map, undefined where it has none.
 */
export function containerOfCrop(xmp: string, gainMapBytes: number | undefined): string {
  if (!xmp.includes(XMP_NAMESPACES.Container) && !xmp.includes(XMP_NAMESPACES.hdrgm)) return xmp;
  try {
    if (gainMapBytes === undefined) {
      return editXmp(xmp, { 'Container:Directory': undefined, 'hdrgm:Version': undefined });
    }
    const items = itemsOf(parseXml(xmp));
    return [...items].reverse().reduce((text, { item, entry }) => {
      const semantic = valueOf(item, 'Semantic');
      if (semantic === GAIN_MAP) return withLength(text, item, gainMapBytes);
      if (semantic === 'Primary' || semantic === undefined) return text;
      return text.slice(0, entry.start) + text.slice(entry.end);
    }, xmp);
  } catch (thrown) {
    if (thrown instanceof XmlError) return xmp;
    throw thrown;
  }
}

/** The items in the order of the text, each with the list entry that holds it. */
function itemsOf(element: XmlElement, entry = element): { item: XmlElement; entry: XmlElement }[] {
  return element.children.flatMap((child) => {
    const holder = child.localName === 'li' ? child : entry;
    const isItem = child.namespace === XMP_NAMESPACES.Container && child.localName === 'Item';
    return isItem ? [{ item: child, entry: holder }] : itemsOf(child, holder);
  });
}

function valueOf({ attributes }: XmlElement, localName: string): string | undefined {
  return attributes.find((attribute) => attribute.localName === localName)?.value;
}

function withLength(text: string, { attributes }: XmlElement, nBytes: number): string {
  const length = attributes.find(({ localName }) => localName === 'Length');
  return length ? text.slice(0, length.valueStart) + String(nBytes) + text.slice(length.valueEnd) : text;
}
