import type { Splice, XmlElement } from '../formats/xml.js';
import { RDF } from './xmp.js';

/** An entry of a list (rdf:li), with the one it lies in. */
interface ListEntry {
  readonly element: XmlElement;
  readonly outer: ListEntry | undefined;
}

/** An element with the nearest list entry that it is, or lies in. */
export interface Placed {
  readonly element: XmlElement;
  readonly entry: ListEntry | undefined;
}

/** Every element below the root, in the order of the text. */
export function placedElements(root: XmlElement): Placed[] {
  const all: Placed[] = [];
  const collect = (elements: readonly XmlElement[], outer: ListEntry | undefined): void => {
    for (const element of elements) {
      const isEntry = element.namespace === RDF && element.localName === 'li';
      const entry = isEntry ? { element, outer } : outer;
      all.push({ element, entry });
      collect(element.children, entry);
    }
  };
  collect(root.children, undefined);
  return all;
}

/**
 * Takes things out of their lists: an entry goes with the last thing of the kind in it, nested ones included. What is in
 * no list, or not alone in its entry, goes by itself.
 *
 * @param itself what to take out then.
 */
export function withoutThem<T extends Placed>(
  gone: readonly T[],
  kept: readonly Placed[],
  itself: (thing: T) => readonly Splice[],
): Splice[] {
  const stays = new Set<XmlElement>();
  for (const { entry } of kept) {
    for (let each = entry; each && !stays.has(each.element); each = each.outer) stays.add(each.element);
  }
  return gone.flatMap((thing) => {
    const entry = thing.entry?.element;
    return entry && !stays.has(entry) ? [{ start: entry.start, end: entry.end, by: '' }] : itself(thing);
  });
}
