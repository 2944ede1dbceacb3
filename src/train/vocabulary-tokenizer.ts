import { QWEN_CONTROL_TOKENS, TOKEN_TYPES, byteLevelAlphabet, type Vocabulary } from '../../gguf/tokenizer.js';
import type { Tokenizer } from '../vlm/answer/writer.js';

/**
 * Tokens of a byte-level vocabulary without merges, as llama.cpp makes them (llama-vocab.cpp, tokenizer_st_partition):
 * the longest user-defined text is cut out wherever it stands, then the next longest, and what is left is bytes.
 * Needs no model, so training data can be made before there is one; test/train/tokenizer.test.ts holds it to the runtime.
 */
export function vocabularyTokenizer({ tokens, types }: Vocabulary): Tokenizer {
  const idOf = new Map(tokens.map((text, id) => [text, id]));
  const byteIds = byteTokenIds(idOf);
  const longestFirst = (a: string, b: string): number => Buffer.byteLength(b) - Buffer.byteLength(a);
  const words = tokens.filter((_, id) => types[id] === TOKEN_TYPES.userDefined).sort(longestFirst);
  const withControl = [...words, ...QWEN_CONTROL_TOKENS].sort(longestFirst);

  const tokenize = (text: string, { special = false }: { special?: boolean } = {}): Int32Array => {
    const ids: number[] = [];
    const cut = (rest: string, from: readonly string[]): void => {
      const first = from.findIndex((word) => rest.includes(word));
      if (first < 0) {
        for (const byte of Buffer.from(rest)) ids.push(byteIds[byte]!);
        return;
      }
      const word = from[first]!;
      rest.split(word).forEach((piece, i) => {
        if (i > 0) ids.push(idOf.get(word)!);
        if (piece) cut(piece, from.slice(first + 1));
      });
    };
    if (text) cut(text, special ? withControl : words);
    return Int32Array.from(ids);
  };
  return { tokenize };
}

/** The text of tokens; bytes that are no UTF-8 become U+FFFD. */
export function detokenize({ tokens, types }: Vocabulary, ids: Iterable<number>): string {
  const byteOf = new Map(byteLevelCodes().map((text, byte) => [text, byte]));
  const parts: Buffer[] = [];
  for (const id of ids) {
    const text = tokens[id]!;
    parts.push(types[id] === TOKEN_TYPES.normal ? Buffer.of(byteOf.get(text)!) : Buffer.from(text));
  }
  return Buffer.concat(parts).toString('utf8');
}

function byteTokenIds(idOf: ReadonlyMap<string, number>): number[] {
  return byteLevelCodes().map((text) => idOf.get(text)!);
}

/** The character of each byte 0..255 in GPT-2's alphabet: printable bytes stand for themselves, the others follow. */
function byteLevelCodes(): string[] {
  const alphabet = byteLevelAlphabet();
  const printable = new Set(alphabet.filter((text) => text.codePointAt(0)! < 256));
  const others = alphabet.filter((text) => text.codePointAt(0)! >= 256);
  let next = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const self = String.fromCodePoint(byte);
    return printable.has(self) ? self : others[next++]!;
  });
}
