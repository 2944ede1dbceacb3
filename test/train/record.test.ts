import { describe, expect, test } from 'vitest';
import { buildVocabulary } from '../../gguf/tokenizer.js';
import { AnswerTokens } from '../../src/vlm/answer/answer-tokens.js';
import { loadPromptProfile } from '../../src/vlm/prompt/profile.js';
import type { Element } from '../../src/base/schema.js';
import { canonicalElements } from '../../src/train/canonical-elements.js';
import { recordConversation, type ConversationTarget } from '../../src/train/record.js';
import { detokenize, vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';
import { nanoTokenizer } from '../../training/nano/vocabulary.js';

const profile = await loadPromptProfile('compact');
const phrases = profile.reasons.kind === 'phrase' ? profile.reasons.phrases : [];
const vocabulary = buildVocabulary(nanoTokenizer(phrases));
const tokenizer = vocabularyTokenizer(vocabulary);
const tokens = new AnswerTokens(tokenizer);
const frame = { width: 252, height: 168 };

const everyKind: Element[] = [
  {
    type: 'vanishing_point',
    lines: [
      [100, 60, 251, 167],
      [100, 60, 0, 160],
      [100, 60, 0, 5],
    ],
  },
  {
    type: 'triangle',
    points: [
      [10, 150],
      [120, 20],
      [230, 155],
    ],
  },
  {
    type: 'curved',
    points: [
      [20, 10],
      [60, 60],
      [40, 110],
      [90, 165],
    ],
  },
  { type: 'symmetric', line: [126, 167, 126, 0] },
  { type: 'diagonal', line: [240, 10, 3, 150] },
  { type: 'vertical', line: [50, 160, 48, 2] },
  { type: 'horizontal', line: [400, 90, -5, 92] },
  { type: 'center', box: [80, 40, 170, 130] },
];

const target: ConversationTarget = {
  frame,
  elements: await canonicalElements(everyKind, frame, tokens),
  request: { count: 2, limits: { frame, minSize: 0.25 } },
  candidates: [
    { boxInFrame: [10, 5, 200, 150], why: phrases[2]! },
    { boxInFrame: [60, 0, 252, 168], why: phrases[3]! },
  ],
  listOrder: [1, 0],
  preference: [0.75, 0.25],
  why: phrases[2]!,
};
const record = await recordConversation(target, { tokenizer, tokens, profile });
const text = detokenize(vocabulary, record.tokens);

describe('a recorded conversation', () => {
  test('reads as the three stages of the product', () => {
    const pads = '<|image_pad|>'.repeat(54);
    expect(text).toBe(
      `<|im_start|>user\n<|vision_start|>${pads}<|vision_end|>analyse 252,168<|im_end|>\n<|im_start|>assistant\n` +
        '{"type":"center","box":[80,40,170,130]}\n' +
        '{"type":"horizontal","line":[0,92,251,90]}\n' +
        '{"type":"vertical","line":[48,2,50,160]}\n' +
        '{"type":"diagonal","line":[3,150,240,10]}\n' +
        '{"type":"symmetric","line":[126,0,126,167]}\n' +
        '{"type":"curved","points":[[90,165],[40,110],[60,60],[20,10]]}\n' +
        '{"type":"triangle","points":[[120,20],[230,155],[10,150]]}\n' +
        '{"type":"vanishing_point","lines":[[100,60,0,5],[100,60,251,167],[100,60,0,160]]}\n' +
        `<|im_end|>\n<|im_start|>user\n<|vision_start|>${pads}<|vision_end|>propose 2<|im_end|>\n<|im_start|>assistant\n` +
        `{"box":[10,5,200,150],"why":"${phrases[2]!}"}\n{"box":[60,0,252,168],"why":"${phrases[3]!}"}\n` +
        '<|im_end|>\n<|im_start|>user\ndecide\n1: [60,0,252,168]\n2: [10,5,200,150]<|im_end|>\n<|im_start|>assistant\n' +
        `{"best":2,"why":"${phrases[2]!}"}\n<|im_end|>`,
    );
  });

  test('has the tokens the whole text has, though it was tokenized in pieces', () => {
    expect([...tokenizer.tokenize(text, { special: true })]).toEqual(record.tokens);
  });

  test('has a label exactly where the model decides, and the label is the token that follows', () => {
    expect(record.nLabels.reduce((sum, n) => sum + n, 0)).toBe(record.labels.length);
    // center 4; three segments; curve 8 + 1 "goes on?"; triangle 6; vanishing point 2 + 3 x 2 + 2; a kind for each of 8.
    // The last "end" is no decision after eight elements.
    const [analyse, propose, decide] = record.nLabels;
    expect(analyse).toBe(4 + 4 * 4 + (8 + 2) + 6 + (2 + 6 + 2) + 8);
    expect(propose).toBe(2 * 5);
    expect(decide).toBe(2);
    for (const { at, decision } of record.labels) {
      if ('token' in decision) expect(record.tokens[at + 1]).toBe(decision.token);
    }
  });

  test('weighs the numbers of the list by the preference, in the order shown', () => {
    const soft = record.labels.flatMap(({ decision }) => ('probabilities' in decision ? [decision.probabilities] : []));
    expect(soft).toHaveLength(1);
    const shown = [...soft[0]!].map(([token, probability]) => [vocabulary.tokens[token], probability]);
    expect(shown).toEqual([
      ['1', 0.25],
      ['2', 0.75],
    ]);
  });

  test('says each decided value in one token', () => {
    const pieces = record.labels.map(({ at }) => vocabulary.tokens[record.tokens[at + 1]!]!);
    const allowed = /^(\d+|\{"type":"\w+","\w+":\[+|\],\[|\]\]\}\n|\{"best":|<\|im_end\|>)$/;
    expect(pieces.filter((piece) => !allowed.test(piece) && !phrases.includes(piece))).toEqual([]);
  });

  test('refuses a target the product could never say', async () => {
    const small = { ...target, candidates: [{ boxInFrame: [0, 0, 20, 20] as const, why: phrases[0]! }] };
    await expect(recordConversation(small, { tokenizer, tokens, profile })).rejects.toThrow(/target answer/);
  });
});

describe('canonical elements', () => {
  test('leave out what the answer form cannot say', async () => {
    const specks: Element[] = [
      { type: 'center', box: [10, 10, 12, 12] },
      { type: 'diagonal', line: [0, 50, 250, 51] },
      { type: 'vertical', line: [9, 9, 9, 150] },
    ];
    expect(await canonicalElements(specks, frame, tokens)).toEqual([{ type: 'vertical', line: [9, 9, 9, 150] }]);
  });
});

describe('of a profile whose reasons are sentences', async () => {
  const standard = await loadPromptProfile('standard');
  const why = [
    'The horizon runs level, and the sky is left out.',
    'Less "empty" space? No: 2 thirds'.replaceAll('"', ''),
  ];
  const sentences: ConversationTarget = {
    ...target,
    candidates: target.candidates.map(({ boxInFrame }, i) => ({ boxInFrame, why: why[i]! })),
    why: why[0]!,
  };

  test('a conversation has them whole, as tokens of the whole text', async () => {
    const { tokens: ids } = await recordConversation(sentences, { tokenizer, tokens, profile: standard });
    const said = detokenize(vocabulary, ids);
    expect(said).toMatch(/^<\|im_start\|>system\nYou are a photographer/);
    for (const sentence of why) expect(said).toContain(`, "label": "${sentence}"}\n`);
    expect(said.endsWith(`{"best": 2, "why": "${why[0]!}"}\n<|im_end|>`)).toBe(true);
    expect([...tokenizer.tokenize(said, { special: true })]).toEqual(ids);
  });

  test('each of their tokens and the closing quote is decided', async () => {
    const { tokens: ids, labels } = await recordConversation(sentences, { tokenizer, tokens, profile: standard });
    const decided = labels.map(({ at }) => vocabulary.tokens[ids[at + 1]!]!).join('');
    for (const sentence of [...why, why[0]!]) expect(decided).toContain(`${sentence.replaceAll(' ', 'Ġ')}"`);
  });

  test('a token that holds the last words and the quote is one decision, and its words are not lost', async () => {
    const joined = vocabularyTokenizer(
      buildVocabulary({ ...nanoTokenizer(phrases), words: ['left out."}\n', 'thirds"'] }),
    );
    const { tokens: ids } = await recordConversation(sentences, {
      tokenizer: joined,
      tokens: new AnswerTokens(joined),
      profile: standard,
    });
    const said = detokenize(buildVocabulary({ ...nanoTokenizer(phrases), words: ['left out."}\n', 'thirds"'] }), ids);
    for (const sentence of why) expect(said).toContain(`"${sentence}"}\n`);
  });
});
