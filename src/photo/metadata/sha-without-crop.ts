import { createHash } from 'node:crypto';
import { isDeclaration } from '../formats/xml.js';
import { asUtf8, decodeXmlText } from '../formats/xml-text.js';
import type { PhotoFormat } from '../sniff.js';
import { CROP_PROPERTIES } from './crop-in-xmp.js';
import { findXmp } from './own-xmp.js';
import { openXmp, RDF, XMP_NAMESPACES, type XmpPacket } from './xmp.js';

/**
 * A digest of a photo's file that stays what it is when a crop is noted in its own XMP, or moved or taken back there, and
 * changes with everything else: pixels, EXIF, any other property.
 *
 * @returns sha256, hex; undefined for a file in which no crop can be noted
 */
export function shaWithoutCrop(bytes: Uint8Array, format: PhotoFormat): string | undefined {
  const place = findXmp(bytes, format);
  if ('refusal' in place) return undefined;
  const hash = createHash('sha256');
  for (const part of place.rest()) hash.update(part);
  hash.update('\0xmp\0');
  for (const line of place.packet ? propertiesIn(place.packet) : []) hash.update(line);
  return hash.digest('hex');
}

/** All properties but the crop's, whatever order and spaces they are written in; what cannot be read as it is. */
function propertiesIn(packet: Uint8Array): readonly (string | Uint8Array)[] {
  const decoded = decodeXmlText(packet);
  try {
    return decoded ? linesOf(openXmp(asUtf8(decoded))) : [packet];
  } catch {
    return [packet];
  }
}

const NOTED: ReadonlySet<string> = new Set(
  [...CROP_PROPERTIES].map((name) => {
    const [prefix, localName] = name.split(':') as [keyof typeof XMP_NAMESPACES, string];
    return `${XMP_NAMESPACES[prefix]} ${localName}`;
  }),
);

const ABOUT = new Set([`${RDF} about`, ' about']);

function linesOf({ text, properties }: XmpPacket): string[] {
  const lines: string[] = [];
  for (const [key, nodes] of properties) {
    if (NOTED.has(key) || ABOUT.has(key)) continue;
    for (const node of nodes) {
      if ('value' in node && isDeclaration(node)) continue;
      const value = 'value' in node ? node.value : text.slice(node.start, node.end);
      lines.push(`${key}=${value}\0`);
    }
  }
  return lines.sort();
}
