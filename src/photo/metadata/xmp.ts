import { escapeXml, isDeclaration, namespacesIn, parseXml, spliced } from '../formats/xml.js';
import type { Splice, XmlAttribute, XmlElement } from '../formats/xml.js';

export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** Namespaces of the properties we look at, by their usual prefix. */
export const XMP_NAMESPACES = {
  crs: 'http://ns.adobe.com/camera-raw-settings/1.0/',
  exif: 'http://ns.adobe.com/exif/1.0/',
  tiff: 'http://ns.adobe.com/tiff/1.0/',
  xmp: 'http://ns.adobe.com/xap/1.0/',
  xmpNote: 'http://ns.adobe.com/xmp/note/',
  photoshop: 'http://ns.adobe.com/photoshop/1.0/',
  darktable: 'http://darktable.sf.net/',
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

type XmpNode = XmlAttribute | XmlElement;

/** A packet that has been read once, to be asked for many properties. */
export interface XmpPacket {
  readonly text: string;
  readonly root: XmlElement;
  /** The nodes whose properties are the photo's own; XMP allows any number of them. */
  readonly descriptions: readonly XmlElement[];
  /** By `namespace localName`, in the order of the text; more than one only in XMP that is wrong. */
  readonly properties: ReadonlyMap<string, readonly XmpNode[]>;
}

/** @throws XmlError */
export function openXmp(text: string): XmpPacket {
  const root = parseXml(text);
  const descriptions = (rdfOf(root)?.children ?? []).filter(
    ({ namespace, localName }) => namespace === RDF && localName === 'Description',
  );
  const properties = new Map<string, XmpNode[]>();
  for (const { attributes, children } of descriptions) {
    for (const node of [attributes, children].flat()) {
      const key = keyOf(node.namespace, node.localName);
      const there = properties.get(key);
      if (there) there.push(node);
      else properties.set(key, [node]);
    }
  }
  return { text, root, descriptions, properties };
}

function keyOf(namespace: string | undefined, localName: string): string {
  return `${namespace ?? ''} ${localName}`;
}

/** The attributes and elements that are a property, in the order of the text. */
export function nodesOf({ properties }: XmpPacket, name: XmpName): readonly XmpNode[] {
  const [prefix, localName] = name.split(':') as [XmpPrefix, string];
  return properties.get(keyOf(XMP_NAMESPACES[prefix], localName)) ?? [];
}

/**
 * The value of a simple property, written as an attribute or as an element.
 * @throws XmlError
 */
export function readXmp(xmp: string | XmpPacket, name: XmpName): string | undefined {
  const packet = typeof xmp === 'string' ? openXmp(xmp) : xmp;
  const [found] = nodesOf(packet, name);
  if (!found) return undefined;
  return unescapeXml('value' in found ? found.value : packet.text.slice(found.contentStart, found.contentEnd).trim());
}

/** Camera Raw's properties that are there. */
export function settingsIn({ descriptions }: XmpPacket): XmpName[] {
  const nodes = descriptions.flatMap(({ attributes, children }): readonly XmpNode[] => [...attributes, ...children]);
  const names = nodes.filter(({ namespace }) => namespace === XMP_NAMESPACES.crs).map(({ localName }) => localName);
  return [...new Set(names)].map((name): XmpName => `crs:${name}`);
}

/**
 * The packet with properties set or taken out; every other character is what it was.
 * @param options.onlyPresent leaves out properties that are not there yet.
 * @throws XmlError if it is no well-formed XML or holds no RDF.
 */
export function editXmp(
  xmp: string | XmpPacket,
  edits: XmpEdits,
  options: { readonly onlyPresent?: boolean } = {},
): string {
  const packet = typeof xmp === 'string' ? openXmp(xmp) : xmp;
  const { text, root, descriptions } = packet;
  const splices: Splice[] = [];
  const added: [XmpName, string][] = [];
  for (const [name, value] of Object.entries(edits) as [XmpName, string | undefined][]) {
    const [first, ...others] = nodesOf(packet, name);
    for (const other of others) splices.push(removal(text, other));
    if (!first) {
      if (value !== undefined && !options.onlyPresent) added.push([name, value]);
    } else {
      splices.push(value === undefined ? removal(text, first) : replacement(text, first, value));
    }
  }
  if (added.length > 0) splices.push(addition(text, root, descriptions[0], added));
  return spliced(text, splices);
}

function rdfOf(root: XmlElement): XmlElement | undefined {
  const isRdf = ({ namespace, localName }: XmlElement): boolean => namespace === RDF && localName === 'RDF';
  return isRdf(root) ? root : root.children.find(isRdf);
}

function replacement(xmp: string, node: XmpNode, value: string): Splice {
  const text = escapeXml(value);
  if ('value' in node) return { start: node.valueStart, end: node.valueEnd, by: text };
  if (!node.selfClosing) return { start: node.contentStart, end: node.contentEnd, by: text };
  // Its prefix may be declared by itself; what else it says (rdf:resource) would contradict a value.
  const declarations = node.attributes.filter(isDeclaration);
  const opening = [node.name, ...declarations.map(({ start, end }) => xmp.slice(start, end))].join('');
  return { start: node.start, end: node.end, by: `<${opening}>${text}</${node.name}>` };
}

/** With the white space before it, so that no empty line is left. */
function removal(xmp: string, { start, end }: XmpNode): Splice {
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
  const inScope = namespacesIn(host.scope);
  // A prefix that is used though nothing declares it must not come to mean ours: a name could then be there twice.
  for (const { name } of host.attributes) {
    const prefix = name.slice(0, Math.max(0, name.indexOf(':')));
    if (!inScope.has(prefix)) inScope.set(prefix, '');
  }
  const declared = new Map<string, string>();
  const attributes = added.map(([name, value]) => {
    const [usual, localName] = name.split(':') as [XmpPrefix, string];
    const prefix = prefixFor(usual, inScope, declared);
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
