import { describe, expect, test } from 'vitest';
import { f32s, i32s, str, strings, u32, type GgufValue } from '../../gguf/index.js';
import { drop, editTokens, problemsAfter, set, expectProblems, type Case, type Draft } from './broken.js';
import { temporaryFolder } from './temporary.js';

const folder = await temporaryFolder();
const u64 = (value: bigint): GgufValue => ({ type: 'uint64', value });

describe('tokenizer', () => {
  const key = (name: string): string => `tokenizer.ggml.${name}`;
  const drawn = (...texts: string[]): GgufValue => strings(texts);
  const cases: readonly Case[] = [
    ['another tokenizer', set(key('model'), str('llama')), [key('model')], /"llama", must be the string "gpt2"/],
    ['a tokenizer of another type', set(key('model'), u32(2)), [key('model')], /uint32, must be the string/],
    ['no tokenizer', drop(key('model')), [key('model')], /missing/],
    ['another pre-tokenizer', set(key('pre'), str('default')), [key('pre')], /must be the string "qwen2"/],
    ['no tokens', drop(key('tokens')), [key('tokens')], /missing/],
    [
      'tokens that are numbers',
      set(key('tokens'), i32s([1])),
      [key('tokens')],
      /array of int32, must be an array of str/,
    ],
    ['an empty vocabulary', set(key('tokens'), drawn()), [key('tokens')], /0 items/],
    ['no token types', drop(key('token_type')), [key('token_type')], /missing/],
    [
      'too few token types',
      set(key('token_type'), i32s([1, 1])),
      [key('token_type')],
      /2 items, must be an array of 270/,
    ],
    ['token types that are floats', set(key('token_type'), f32s([1])), [key('token_type')], /array of float32/],
    [
      'a token twice',
      editTokens((tokens) => (tokens[265] = '<|box_end|>')),
      ['token 265', 'token <|vision_start|>'],
      /must differ from token 262/,
    ],
    ['an empty token', editTokens((tokens) => (tokens[264] = '')), ['token 264'], /empty, must have a text/],
    ['a token with a NUL', editTokens((tokens) => (tokens[264] = 'a\0')), ['token 264'], /must not contain a NUL/],
    ['a token that is no UTF-8', editTokens((tokens) => (tokens[264] = '\ufffd')), ['token 264'], /valid UTF-8/],
    [
      'a token of no known type',
      editTokens((_, types) => (types[264] = 6)),
      ['token 264'],
      /type 6, must be of type 1 to 5/,
    ],
    [
      'no token for a byte',
      editTokens((tokens) => (tokens[3] = '<x>')),
      [key('tokens')],
      /1 of the 256 bytes, such as "\$"/,
    ],
    ['a byte token of another type', editTokens((_, types) => (types[3] = 4)), [key('tokens')], /1 of the 256 bytes/],
    ...[256, 257, 258, 265, 266, 268].map((id): Case => {
      const text = `<|${['endoftext', 'im_start', 'im_end'][id - 256] ?? { 265: 'vision_start', 266: 'vision_end', 268: 'image_pad' }[id]!}|>`;
      return [
        `no ${text}`,
        editTokens((tokens) => (tokens[id] = '<x>')),
        [`token ${text}`],
        /missing, must be a control/,
      ];
    }),
    ['a control token as plain text', editTokens((_, types) => (types[265] = 1)), ['token <|vision_start|>'], /type 1/],
    ['no merges', drop(key('merges')), [key('merges')], /missing/],
    ['a merge of one text', set(key('merges'), drawn('ab')), [key('merges[0]')], /two texts with a space/],
    ['a merge that makes no token', set(key('merges'), drawn('a b')), [key('merges[0]')], /together are a token/],
    ['too few scores', set(key('scores'), f32s([0])), [key('scores')], /1 items, must be an array of 270/],
    ['no end of text', drop(key('eos_token_id')), [key('eos_token_id')], /missing, must be a uint32 from 0 to 269/],
    ['an end of text out of range', set(key('eos_token_id'), u32(270)), [key('eos_token_id')], /270/],
    ['a padding out of range', set(key('padding_token_id'), u32(9999)), [key('padding_token_id')], /9999/],
    ['an id of another type', set(key('bos_token_id'), u64(1n)), [key('bos_token_id')], /uint64, must be a uint32/],
    ['a flag of another type', set(key('add_bos_token'), u32(0)), [key('add_bos_token')], /uint32, must be a bool/],
    ['a template that is no string', set('tokenizer.chat_template', u32(1)), ['tokenizer.chat_template'], /uint32/],
  ];
  test.each(cases)('%s is a problem', (...broken) => expectProblems(folder, 'text', broken));

  test('merges that make tokens are none', async () => {
    const words = (draft: Draft): void => {
      editTokens((tokens, types) => {
        tokens[264] = 'ab';
        types[264] = 1;
      })(draft);
      draft.metadata.set(key('merges'), drawn('a b'));
    };
    expect(await problemsAfter(folder, 'text', words)).toEqual([]);
  });
});
