import { expect, test } from 'vitest';
import { QWEN_CONTROL_TOKENS, TOKEN_TYPES, buildVocabulary, tokenizerMetadata } from '../../gguf/index.js';
import { byteLevelAlphabet } from '../../gguf/tokenizer.js';

test('the bytes are spelled as GPT-2 spells them', () => {
  const alphabet = byteLevelAlphabet();
  expect(new Set(alphabet).size).toBe(256);
  // encoder.py of openai/gpt-2: '!' is token 0, 'ÿ' 187, then the bytes without a character of their own from U+0100.
  expect([alphabet[0], alphabet[93], alphabet[187], alphabet[188], alphabet[220], alphabet[255]]).toEqual([
    '!',
    '~',
    'ÿ',
    'Ā',
    'Ġ',
    'Ń',
  ]);
});

test('digits are byte tokens, larger integers up to the limit tokens of their own', () => {
  const { tokens, types } = buildVocabulary({ maxInteger: 1023 });
  expect(tokens).toHaveLength(256 + 14 + 1014);
  expect(tokens.filter((text) => /^\d$/.test(text))).toHaveLength(10);
  expect(types[tokens.indexOf('7')]).toBe(TOKEN_TYPES.normal);
  expect(types[tokens.indexOf('10')]).toBe(TOKEN_TYPES.userDefined);
  expect(types[tokens.indexOf('1023')]).toBe(TOKEN_TYPES.userDefined);
  expect(tokens).not.toContain('1024');
});

test('control tokens, words and padding have their types and places', () => {
  const { tokens, types } = buildVocabulary({ words: ['"box":'], vocabSize: 280 });
  expect(tokens.slice(256, 270)).toEqual(QWEN_CONTROL_TOKENS);
  expect(types.slice(256, 270)).toEqual(new Array(14).fill(TOKEN_TYPES.control));
  expect([tokens[270], types[270]]).toEqual(['"box":', TOKEN_TYPES.userDefined]);
  expect([tokens[279], types[279]]).toEqual(['[PAD279]', TOKEN_TYPES.unused]);
});

test('an answer ends with <|im_end|>', () => {
  const vocabulary = buildVocabulary();
  const eos = tokenizerMetadata(vocabulary).get('tokenizer.ggml.eos_token_id');
  expect(vocabulary.tokens[Number(eos?.value)]).toBe('<|im_end|>');
});

test.each([[['a']], [['<|im_end|>']], [['x y', 'x y']], [['']]])('the words %j are refused', (words) => {
  expect(() => buildVocabulary({ words })).toThrow(/words must be new texts/);
});
