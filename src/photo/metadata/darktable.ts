import type { XmlElement } from '../formats/xml.js';
import { nodesOf, RDF, readXmp, XMP_NAMESPACES, type XmpPacket } from './xmp.js';

/** Modules that crop, each with how its parameters begin where they leave the photo whole: margins 0, 0, 1, 1 (src/iop). */
const CROPPING: ReadonlyMap<string, RegExp> = new Map([
  ['crop', /^0{16}(?:0000803f){2}/i],
  ['clipping', /^0{24}(?:0000803f){2}/i],
]);

/** Whether darktable's history, as far as it is in force, ends with a crop. */
export function hasDarktableCrop(packet: XmpPacket): boolean {
  const end = Number(readXmp(packet, 'darktable:history_end') ?? Infinity);
  const last = new Map<string, boolean>();
  for (const step of stepsOf(packet)) {
    const operation = fieldOf(packet, step, 'operation') ?? '';
    const whole = CROPPING.get(operation);
    // A step whose place is not said counts.
    if (!whole || Number(fieldOf(packet, step, 'num') ?? -1) >= end) continue;
    const isOn = fieldOf(packet, step, 'enabled') !== '0' && !whole.test(fieldOf(packet, step, 'params') ?? '');
    last.set(`${operation} ${fieldOf(packet, step, 'multi_priority') ?? '0'}`, isOn);
  }
  return [...last.values()].includes(true);
}

function stepsOf(packet: XmpPacket): XmlElement[] {
  return nodesOf(packet, 'darktable:history')
    .flatMap((node) => ('children' in node ? node.children : []))
    .flatMap(({ children }) => children)
    .filter(({ namespace, localName }) => namespace === RDF && localName === 'li');
}

function fieldOf({ text }: XmpPacket, { attributes, children }: XmlElement, name: string): string | undefined {
  const isIt = (node: { namespace: string | undefined; localName: string }): boolean =>
    node.namespace === XMP_NAMESPACES.darktable && node.localName === name;
  const element = children.find(isIt);
  return attributes.find(isIt)?.value ?? (element && text.slice(element.contentStart, element.contentEnd).trim());
}
