import type { Dice } from './dice.js';

/** The tags of an XML text and what stands between them. */
type Tokens = readonly string[];
type XmlMutation = (tokens: Tokens, dice: Dice) => Tokens;

const VALUES = ['', '0', '-1', 'NaN', '1e999', '6', 'True', 'False', '0.5', '4294967296', '&#0;', 'a,b,c,d', '🐕'];

/** A part of the text: mostly an element with all that is in it, so that what results is XML still. */
function between(tokens: Tokens, dice: Dice): readonly [number, number] {
  const from = dice.int(tokens.length);
  if (dice.chance(0.1)) return [from, Math.min(tokens.length, from + 1 + dice.int(12))];
  const opening = tokens.findIndex((token, i) => i >= from && /^<\w/.test(token));
  if (opening === -1) return [from, from];
  let depth = 0;
  for (let at = opening; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (/^<\w/.test(token) && !token.endsWith('/>')) depth++;
    if (token.startsWith('</')) depth--;
    if (depth === 0) return [opening, at + 1];
  }
  return [opening, tokens.length];
}

/** Damage by programs that know XML badly, and malice that knows it well. */
export const XML_MUTATIONS: Readonly<Record<string, XmlMutation>> = {
  remove: (tokens, dice) => {
    const [from, to] = between(tokens, dice);
    return tokens.toSpliced(from, to - from);
  },
  repeat: (tokens, dice) => {
    const [from, to] = between(tokens, dice);
    const times = dice.pick([2, 3, 50, 5000]);
    const part = tokens.slice(from, to).join('');
    return part.length * times < 2_000_000 ? tokens.toSpliced(to, 0, part.repeat(times)) : tokens;
  },
  move: (tokens, dice) => {
    const [from, to] = between(tokens, dice);
    return tokens.toSpliced(from, to - from).toSpliced(dice.int(tokens.length), 0, ...tokens.slice(from, to));
  },
  value: (tokens, dice) => {
    const at = dice.int(tokens.length);
    const changed = tokens[at]!.replace(/"[^"]*"/g, (value) => (dice.chance(0.5) ? `"${dice.pick(VALUES)}"` : value));
    return tokens.with(at, changed.startsWith('<') ? changed : dice.pick(VALUES));
  },
  wrap: (tokens, dice) => {
    const [from, to] = between(tokens, dice);
    const depth = dice.pick([1, 1, 2, 250]);
    const name = dice.pick(['rdf:li', 'rdf:Bag', 'rdf:Description', 'mwg-rs:Area', 'x']);
    return [
      ...tokens.slice(0, from),
      `<${name}>`.repeat(depth),
      ...tokens.slice(from, to),
      `</${name}>`.repeat(depth),
      ...tokens.slice(to),
    ];
  },
  declare: (tokens, dice) => {
    const at = tokens.findIndex((token, i) => /^<[\w:]/.test(token) && i >= dice.int(tokens.length));
    if (at === -1) return tokens;
    if (tokens[at]!.length > 1_000_000) return tokens;
    const declarations = Array.from({ length: dice.pick([1, 5, 20_000]) }, (_, i) => ` xmlns:n${i}="urn:${i}"`);
    return tokens.with(
      at,
      tokens[at]!.replace(/^<[\w:-]+/, (name) => name + declarations.join('')),
    );
  },
  rename: (tokens, dice) => {
    const names = ['tiff:Orientation', 'crs:HasCrop', 'crs:AlreadyApplied', 'stArea:x', 'Container:Item', 'rdf:RDF'];
    const at = dice.int(tokens.length);
    return tokens.with(
      at,
      tokens[at]!.replace(/(?<=[<\s])[\w-]+:[\w-]+/, () => dice.pick(names)),
    );
  },
  truncate: (tokens, dice) => (dice.chance(0.2) ? tokens.slice(0, dice.int(tokens.length)) : tokens),
};

export function mutatedXml(text: string, dice: Dice): string {
  let tokens: Tokens = text.split(/(<[^>]*>)/).filter((token) => token !== '');
  for (let n = 1 + dice.int(4); n > 0 && tokens.length > 1; n--) {
    tokens = XML_MUTATIONS[dice.pick(Object.keys(XML_MUTATIONS))]!(tokens, dice);
  }
  return tokens.join('');
}
