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
  readonly scope: XmlScope | undefined;
}

/** What an element declares, by prefix ("" is the default namespace), and what is declared around it. */
export interface XmlScope {
  readonly declared: ReadonlyMap<string, string>;
  readonly outer: XmlScope | undefined;
}

/** The text is no well-formed XML, or uses a document type, which no XMP does. */
export class XmlError extends Error {
  override readonly name: string = 'XmlError';
}

/** The text is larger, deeper or made of more parts than any XMP; nothing of it is read. */
export class XmlTooLargeError extends XmlError {
  override readonly name = 'XmlTooLargeError';
}

/** An element whose end is not known yet. One object from its start tag on: there may be many. */
interface Open extends Mutable<Omit<XmlElement, 'children'>> {
  readonly children: XmlElement[];
}
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What each prefix means at a place in the text. */
type InForce = Map<string, string | undefined>;

/** What the prefixes that an element declares meant before it. */
type Hidden = readonly (readonly [prefix: string, namespace: string | undefined])[];

/** Sidecars of long sessions with many painted masks have a few million characters. */
export const MAX_XML_CHARACTERS = 16 * 1024 * 1024;

/** Far deeper than any XMP; whoever walks the tree may then call itself. */
const MAX_DEPTH = 200;

/** Elements and attributes; each costs some 200 bytes of memory. A sidecar of 3,000 regions has 30,000. */
const MAX_NODES = 150_000;

const NAME = /[\p{L}_:][\p{L}\p{N}\p{M}_:.\-·]*/uy;
const ATTRIBUTE = /(\s+)([\p{L}_:][\p{L}\p{N}\p{M}_:.\-·]*)\s*=\s*("[^"<]*"|'[^'<]*')/uy;
const CLOSING = /\s*\/?>/y;
const SKIPPED = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/**
 * The elements of an XML text, each with its place, so that a part can be replaced and every other character stays what
 * it was; a parser that writes its tree back would change white space, quotes and references.
 *
 * Linear in the text: a prefix is looked up in one table of what is in force, which the end of an element sets back.
 *
 * @throws XmlError, XmlTooLargeError
 */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_XML_CHARACTERS) {
    throw new XmlTooLargeError(`it has ${text.length} characters, more than ${MAX_XML_CHARACTERS}`);
  }
  // No XML can hold it, not even by reference, and what is written as C strings would end there.
  if (text.includes('\0')) throw new XmlError('it has a NUL');
  const open: Open[] = [];
  const hidden: Hidden[] = [];
  const inForce: InForce = new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);
  let root: XmlElement | undefined;
  let nNodes = 0;
  let at = 0;
  for (;;) {
    const tag = text.indexOf('<', at);
    if (tag === -1) break;
    const next = text[tag + 1];
    const skipped =
      next === '!' || next === '?' ? SKIPPED.find(([opening]) => text.startsWith(opening, tag)) : undefined;
    if (skipped) {
      const end = text.indexOf(skipped[1], tag + skipped[0].length);
      if (end === -1) throw new XmlError(`${skipped[0]} at character ${tag} is not closed`);
      at = end + skipped[1].length;
      continue;
    }
    if (next === '!') throw new XmlError('it has a document type declaration');
    if (next === '/') {
      const element = open.pop();
      const end = text.indexOf('>', tag);
      if (!element || end === -1 || text.slice(tag + 2, end).trimEnd() !== element.name) {
        throw new XmlError(`the end tag at character ${tag} closes nothing`);
      }
      at = end + 1;
      close(element, tag, at);
      continue;
    }
    if (nNodes >= MAX_NODES) throw new XmlTooLargeError(`it has more than ${MAX_NODES} elements and attributes`);
    if (open.length >= MAX_DEPTH) throw new XmlTooLargeError(`its elements lie more than ${MAX_DEPTH} deep`);
    const parent = open.at(-1);
    const element = startTag(text, tag, parent?.scope, MAX_NODES - nNodes - 1);
    nNodes += 1 + element.attributes.length;
    if (parent) parent.children.push(element);
    else if (root) throw new XmlError(`there is a second root element at character ${tag}`);
    else root = element;
    at = element.contentStart;
    open.push(element);
    hidden.push(declare(element, inForce));
    // A name without a prefix is of the default namespace, an attribute's of none.
    element.namespace = inForce.get('');
    for (const named of [element, ...element.attributes]) resolve(named, inForce);
    if (element.selfClosing) close(open.pop()!, at, at);
  }
  if (open.length > 0) throw new XmlError(`<${open.at(-1)!.name}> is not closed`);
  if (!root) throw new XmlError('it has no element');
  return root;

  function close(element: Open, contentEnd: number, end: number): void {
    element.contentEnd = contentEnd;
    element.end = end;
    // Set, never deleted: a Map that loses and gains keys in turn is made anew each time.
    for (const [prefix, namespace] of hidden.pop()!) inForce.set(prefix, namespace);
  }
}

/** The element as its start tag has it; the ends are set when they are met, namespaces when they are known. */
function startTag(text: string, start: number, scope: XmlScope | undefined, nodesLeft: number): Open {
  NAME.lastIndex = start + 1;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) throw new XmlError(`there is a stray < at character ${start}`);
  const attributes: Mutable<XmlAttribute>[] = [];
  let at = NAME.lastIndex;
  for (;;) {
    if (attributes.length >= nodesLeft) {
      throw new XmlTooLargeError(`it has more than ${MAX_NODES} elements and attributes`);
    }
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(text);
    if (!match) break;
    const end = ATTRIBUTE.lastIndex;
    const quoted = match[3]!;
    attributes.push({
      name: match[2]!,
      namespace: undefined,
      localName: match[2]!,
      value: quoted.slice(1, -1),
      start: at,
      end,
      valueStart: end - quoted.length + 1,
      valueEnd: end - 1,
    });
    at = end;
  }
  CLOSING.lastIndex = at;
  if (!CLOSING.test(text)) throw new XmlError(`the tag <${name}> at character ${start} is not closed`);
  const contentStart = CLOSING.lastIndex;
  return {
    name,
    namespace: undefined,
    localName: name,
    attributes,
    children: [],
    start,
    end: contentStart,
    attributesEnd: at,
    contentStart,
    contentEnd: contentStart,
    selfClosing: text[contentStart - 2] === '/',
    scope,
  };
}

/** Puts what an element declares in force, and checks that no attribute is there twice. */
function declare(element: Open, inForce: InForce): Hidden {
  const { attributes } = element;
  if (attributes.length > 1) {
    const names = new Set<string>();
    for (const { name, start } of attributes) {
      if (names.has(name)) throw new XmlError(`the attribute ${name} at character ${start} is there twice`);
      names.add(name);
    }
  }
  const declarations = attributes.filter(isDeclaration);
  if (declarations.length === 0) return NOTHING;
  const declared = new Map(declarations.map(({ name, value }) => [name.slice('xmlns:'.length), value]));
  element.scope = { declared, outer: element.scope };
  const hidden = [...declared.keys()].map((prefix) => [prefix, inForce.get(prefix)] as const);
  for (const [prefix, namespace] of declared) inForce.set(prefix, namespace);
  return hidden;
}

const NOTHING: Hidden = [];

/** Whether an attribute says what a prefix means. */
export function isDeclaration({ name }: XmlAttribute): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:');
}

function resolve(node: Mutable<Pick<XmlElement, 'name' | 'namespace' | 'localName'>>, inForce: InForce): void {
  const colon = node.name.indexOf(':');
  if (colon === -1) return;
  node.namespace = inForce.get(node.name.slice(0, colon));
  node.localName = node.name.slice(colon + 1);
}

/** What every prefix means inside an element; worked out only where it is asked for. */
export function namespacesIn(scope: XmlScope | undefined): Map<string, string> {
  const scopes: XmlScope[] = [];
  for (let each = scope; each; each = each.outer) scopes.unshift(each);
  return new Map(scopes.flatMap(({ declared }) => [...declared]));
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

/** The text with its parts replaced. A part that begins inside another one goes with it. */
export function spliced(text: string, splices: readonly Splice[]): string {
  const inOrder = [...splices].sort((a, b) => a.start - b.start || b.end - a.end);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, by } of inOrder) {
    if (start < at) continue;
    parts.push(text.slice(at, start), by);
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}
