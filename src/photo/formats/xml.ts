/** An attribute of an element, with where it is in the text. */
export interface XmlAttribute {
  /** With its prefix, as written. */
  readonly name: string;
  /** Undefined where no namespace is declared for the prefix; an attribute without a prefix has none either. */
  readonly namespace: string | undefined;
  readonly localName: string;
  /** As written, references not resolved. */
  readonly value: string;
  /** From the white space before the name to behind the closing quote. */
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export interface XmlElement {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly localName: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** From `<` to behind the last `>`. */
  readonly start: number;
  readonly end: number;
  /** Behind the start tag's last name or attribute: where another attribute can be written. */
  readonly attributesEnd: number;
  /** Between the tags; both are the end of the start tag where the element is self-closing. */
  readonly contentStart: number;
  readonly contentEnd: number;
  readonly selfClosing: boolean;
  /** Prefixes in scope, "" the default one. */
  readonly namespaces: ReadonlyMap<string, string>;
}

/** The text is no well-formed XML, or uses a document type, which no XMP does. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

interface Open {
  name: string;
  attributes: XmlAttribute[];
  children: XmlElement[];
  start: number;
  attributesEnd: number;
  contentStart: number;
  namespaces: ReadonlyMap<string, string>;
}

/** Far deeper than any XMP; whoever walks the tree may then call itself. */
const MAX_DEPTH = 200;

const NAME = /[\p{L}_:][\p{L}\p{N}\p{M}_:.\-·]*/uy;
const ATTRIBUTE = /(\s+)([\p{L}_:][\p{L}\p{N}\p{M}_:.\-·]*)\s*=\s*("[^"<]*"|'[^'<]*')/uy;
const SKIPPED = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/**
 * The elements of an XML text, each with its place, so that a part can be replaced and every other character stays what
 * it was; a parser that writes its tree back would change white space, quotes and references.
 *
 * @throws XmlError
 */
export function parseXml(text: string): XmlElement {
  const open: Open[] = [];
  let root: XmlElement | undefined;
  let at = 0;
  for (;;) {
    const tag = text.indexOf('<', at);
    if (tag === -1) break;
    const skipped = SKIPPED.find(([opening]) => text.startsWith(opening, tag));
    if (skipped) {
      const end = text.indexOf(skipped[1], tag + skipped[0].length);
      if (end === -1) throw new XmlError(`${skipped[0]} at character ${tag} is not closed`);
      at = end + skipped[1].length;
      continue;
    }
    if (text[tag + 1] === '!') throw new XmlError('it has a document type declaration');
    if (text[tag + 1] === '/') {
      const element = open.pop();
      const end = text.indexOf('>', tag);
      if (!element || end === -1 || text.slice(tag + 2, end).trimEnd() !== element.name) {
        throw new XmlError(`the end tag at character ${tag} closes nothing`);
      }
      at = end + 1;
      close(element, tag, at, false);
      continue;
    }
    if (open.length >= MAX_DEPTH) throw new XmlError(`its elements lie more than ${MAX_DEPTH} deep`);
    const element = startTag(text, tag, open.at(-1)?.namespaces);
    if (open.length === 0 && root) throw new XmlError(`there is a second root element at character ${tag}`);
    at = element.contentStart;
    if (text[at - 2] === '/') close(element, at, at, true);
    else open.push(element);
  }
  if (open.length > 0) throw new XmlError(`<${open.at(-1)!.name}> is not closed`);
  if (!root) throw new XmlError('it has no element');
  return root;

  function close(element: Open, contentEnd: number, end: number, selfClosing: boolean): void {
    const done: XmlElement = {
      ...element,
      ...resolve(element.name, element.namespaces, true),
      contentEnd,
      end,
      selfClosing,
    };
    const parent = open.at(-1);
    if (parent) parent.children.push(done);
    else root = done;
  }
}

function startTag(text: string, start: number, outer: ReadonlyMap<string, string> | undefined): Open {
  NAME.lastIndex = start + 1;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) throw new XmlError(`there is a stray < at character ${start}`);
  let namespaces: ReadonlyMap<string, string> = outer ?? new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);
  let own: Map<string, string> | undefined;
  const names = new Set<string>();
  const found: Omit<XmlAttribute, 'namespace' | 'localName'>[] = [];
  let at = NAME.lastIndex;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(text);
    if (!match) break;
    const end = ATTRIBUTE.lastIndex;
    const quoted = match[3]!;
    const attribute = { name: match[2]!, value: quoted.slice(1, -1), start: at, end };
    if (names.has(attribute.name)) {
      throw new XmlError(`the attribute ${attribute.name} at character ${at} is there twice`);
    }
    names.add(attribute.name);
    found.push({ ...attribute, valueStart: end - quoted.length + 1, valueEnd: end - 1 });
    if (attribute.name === 'xmlns' || attribute.name.startsWith('xmlns:')) {
      own ??= new Map(namespaces);
      namespaces = own.set(attribute.name.slice('xmlns:'.length), attribute.value);
    }
    at = end;
  }
  const closing = /\s*\/?>/y;
  closing.lastIndex = at;
  if (!closing.test(text)) throw new XmlError(`the tag <${name}> at character ${start} is not closed`);
  const attributes = found.map((attribute) => ({ ...attribute, ...resolve(attribute.name, namespaces, false) }));
  return { name, attributes, children: [], start, attributesEnd: at, contentStart: closing.lastIndex, namespaces };
}

function resolve(
  name: string,
  namespaces: ReadonlyMap<string, string>,
  isElement: boolean,
): { namespace: string | undefined; localName: string } {
  const colon = name.indexOf(':');
  if (colon !== -1) return { namespace: namespaces.get(name.slice(0, colon)), localName: name.slice(colon + 1) };
  return { namespace: isElement ? namespaces.get('') : undefined, localName: name };
}

/** A text that may stand in an attribute or between tags. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Text to be put in another's place. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** The text with its parts replaced, which must not overlap. */
export function spliced(text: string, splices: readonly Splice[]): string {
  return [...splices]
    .sort((a, b) => b.start - a.start)
    .reduce((before, { start, end, by }) => before.slice(0, start) + by + before.slice(end), text);
}
