import { describe, expect, test } from 'vitest';
import { buildVocabulary } from '../../gguf/tokenizer.js';
import { detokenize, vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';

const vocabulary = buildVocabulary({ maxInteger: 300, words: ['],"why":"', ',"why":"', '{"box":[', 'née'] });
const tokenizer = vocabularyTokenizer(vocabulary);
const tokenize = (text: string, options?: { special?: boolean }): Int32Array => tokenizer.tokenize(text, options);
const texts = (ids: Int32Array): string[] => Array.from(ids, (id) => vocabulary.tokens[id]!);

describe('the tokenizer of a vocabulary without merges', () => {
  test('takes the longest word wherever it stands and spells the rest in bytes', () => {
    expect(texts(tokenize('{"box":[7,12,300,301],"why":"'))).toEqual([
      '{"box":[',
      '7',
      ',',
      '12',
      ',',
      '300',
      ',',
      '30',
      '1',
      '],"why":"',
    ]);
  });

  test('reads control tokens only where they are asked for', () => {
    expect(texts(tokenize('<|im_end|>', { special: true }))).toEqual(['<|im_end|>']);
    expect(tokenize('<|im_end|>')).toHaveLength('<|im_end|>'.length);
  });

  test('gives back the text it was given', () => {
    for (const text of ['', 'a\nb', 'née 12 ünï \u{1f4f7}', '{"best":3,"why":"so 255 it is"}\n', ' \t\u00a0']) {
      expect(detokenize(vocabulary, tokenize(text))).toBe(text);
    }
  });
});
