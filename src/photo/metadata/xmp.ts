import { escapeXml, parseXml, spliced } from '../formats/xml.js';
import type { Splice, XmlAttribute, XmlElement } from '../formats/xml.js';

export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** Namespaces of the properties we look at, by their usual prefix. */
export const XMP_NAMESPACES = {
  crs: 'http://ns.adobe.com/camera-raw-settings/1.0/',
  exif: 'http://ns.adobe.com/exif/1.0/',
  tiff: 'http://ns.adobe.com/tiff/1.0/',
  xmp: 'http://ns.adobe.com/xap/1.0/',
  xmpNote: 'http://ns.adobe.com/xmp/note/',
  hdrgm: 'http://ns.adobe.com/hdr-gain-map/1.0/',
  Container: 'http://ns.google.com/photos/1.0/container/',
  GCamera: 'http://ns.google.com/photos/1.0/camera/',
  GPano: 'http://ns.google.com/photos/1.0/panorama/',
  /** Our own, for what we have to know of a file we wrote. */
  framewright: 'urn:framewright:xmp:1.0/',
} as const;
type XmpPrefix = keyof typeof XMP_NAMESPACES;

/** A property of the photo the packet is about, e.g. `crs:HasCrop`. */
export type XmpName = `${XmpPrefix}:${string}`;

/** What a property becomes: a simple value, or undefined for none. */
export type XmpEdits = Readonly<Partial<Record<XmpName, string | undefined>>>;

/**
 * The value of a simple property, written as an attribute or as an element.
 * @throws XmlError
 */
export function readXmp(xmp: string, name: XmpName): string | undefined {
  const found = occurrencesOf(descriptionsOf(parseXml(xmp)), name)[0];
  if (!found) return undefined;
  return unescapeXml('value' in found ? found.value : xmp.slice(found.contentStart, found.contentEnd).trim());
}

/**
 * The packet with properties set or taken out; every other character is what it was.
 * @param options.onlyPresent leaves out properties that are not there yet.
 * @throws XmlError if it is no well-formed XML or holds no RDF.
 */
export function editXmp(xmp: string, edits: XmpEdits, options: { readonly onlyPresent?: boolean } = {}): string {
  const root = parseXml(xmp);
  const descriptions = descriptionsOf(root);
  const splices: Splice[] = [];
  const added: [XmpName, string][] = [];
  for (const [name, value] of Object.entries(edits) as [XmpName, string | undefined][]) {
    const [first, ...others] = occurrencesOf(descriptions, name);
    for (const other of others) splices.push(removal(xmp, other));
    if (!first) {
      if (value !== undefined && !options.onlyPresent) added.push([name, value]);
    } else {
      splices.push(value === undefined ? removal(xmp, first) : replacement(first, value));
    }
  }
  if (added.length > 0) splices.push(addition(xmp, root, descriptions[0], added));
  return spliced(xmp, splices);
}

/** @throws XmlError */
function rdfOf(root: XmlElement): XmlElement | undefined {
  const isRdf = ({ namespace, localName }: XmlElement): boolean => namespace === RDF && localName === 'RDF';
  return isRdf(root) ? root : root.children.find(isRdf);
}

/** The nodes whose properties are the photo's own; XMP allows any number of them. */
function descriptionsOf(root: XmlElement): XmlElement[] {
  const children = rdfOf(root)?.children ?? [];
  return children.filter(({ namespace, localName }) => namespace === RDF && localName === 'Description');
}

function occurrencesOf(descriptions: readonly XmlElement[], name: XmpName): (XmlAttribute | XmlElement)[] {
  const [prefix, localName] = name.split(':') as [XmpPrefix, string];
  const matches = (node: XmlAttribute | XmlElement): boolean =>
    node.namespace === XMP_NAMESPACES[prefix] && node.localName === localName;
  return descriptions.flatMap(({ attributes, children }) => [
    ...attributes.filter(matches),
    ...children.filter(matches),
  ]);
}

function replacement(node: XmlAttribute | XmlElement, value: string): Splice {
  const text = escapeXml(value);
  if ('value' in node) return { start: node.valueStart, end: node.valueEnd, by: text };
  if (node.selfClosing) return { ...node, by: `<${node.name}>${text}</${node.name}>` };
  return { start: node.contentStart, end: node.contentEnd, by: text };
}

/** With the white space before it, so that no empty line is left. */
function removal(xmp: string, { start, end }: XmlAttribute | XmlElement): Splice {
  let from = start;
  while (/\s/.test(xmp[from - 1] ?? '')) from--;
  return { start: from, end, by: '' };
}

/** New properties, as attributes of the first description or of one made for them. */
function addition(
  xmp: string,
  root: XmlElement,
  description: XmlElement | undefined,
  added: readonly [XmpName, string][],
): Splice {
  const rdf = rdfOf(root);
  const host = description ?? rdf ?? root;
  const declared = new Map<string, string>();
  const attributes = added.map(([name, value]) => {
    const [usual, localName] = name.split(':') as [XmpPrefix, string];
    const prefix = prefixFor(usual, host.namespaces, declared);
    return `${prefix}:${localName}="${escapeXml(value)}"`;
  });
  const lines = [...[...declared].map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`), ...attributes];
  if (description) {
    const at = description.attributesEnd;
    return { start: at, end: at, by: lines.map((line) => `\n   ${line}`).join('') };
  }
  const about = `<rdf:Description rdf:about="" xmlns:rdf="${RDF}"${lines.map((line) => `\n   ${line}`).join('')}/>`;
  const inside = rdf ? `\n  ${about}\n ` : `\n <rdf:RDF xmlns:rdf="${RDF}">\n  ${about}\n </rdf:RDF>\n`;
  if (!host.selfClosing) return { start: host.contentEnd, end: host.contentEnd, by: inside };
  const opening = xmp.slice(host.start, host.attributesEnd);
  return { start: host.start, end: host.end, by: `${opening}>${inside}</${host.name}>` };
}

/** A prefix that means the namespace there, declared if none does. */
function prefixFor(usual: XmpPrefix, inScope: ReadonlyMap<string, string>, declared: Map<string, string>): string {
  const uri = XMP_NAMESPACES[usual];
  for (const [prefix, namespace] of [...declared, ...inScope]) if (namespace === uri && prefix !== '') return prefix;
  let prefix: string = usual;
  for (let n = 2; inScope.has(prefix) || declared.has(prefix); n++) prefix = `${usual}${n}`;
  declared.set(prefix, uri);
  return prefix;
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
