import { placedElements, withoutThem, type Placed } from './list-entries.js';
import { editXmp, XMP_NAMESPACES } from './xmp.js';
import { parseXml, spliced, XmlError, type Splice, type XmlAttribute, type XmlElement } from '../formats/xml.js';

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
    const items = placedElements(parseXml(xmp)).filter(({ element }) => isItem(element));
    const isGone = ({ element }: Placed): boolean =>
      !['Primary', GAIN_MAP, undefined].includes(attributeOf(element, 'Semantic')?.value);
    const gone = items.filter(isGone);
    const kept = items.filter((item) => !isGone(item));
    const lengths = kept
      .filter(({ element }) => attributeOf(element, 'Semantic')?.value === GAIN_MAP)
      .flatMap(({ element }) => lengthOf(element, gainMapBytes));
    const itself = ({ element: { start, end } }: Placed): Splice[] => [{ start, end, by: '' }];
    return spliced(xmp, [...lengths, ...withoutThem(gone, kept, itself)]);
  } catch (thrown) {
    if (thrown instanceof XmlError) return xmp;
    throw thrown;
  }
}

function isItem({ namespace, localName }: XmlElement): boolean {
  return namespace === XMP_NAMESPACES.Container && localName === 'Item';
}

function attributeOf({ attributes }: XmlElement, localName: string): XmlAttribute | undefined {
  return attributes.find((attribute) => attribute.localName === localName);
}

function lengthOf(item: XmlElement, nBytes: number): Splice[] {
  const length = attributeOf(item, 'Length');
  return length ? [{ start: length.valueStart, end: length.valueEnd, by: String(nBytes) }] : [];
}
