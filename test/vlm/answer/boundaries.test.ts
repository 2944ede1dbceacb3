import { expect, test } from 'vitest';
import { writeCandidates } from '../../../src/vlm/propose/candidates-form.js';
import { aroundBest, writeDecision } from '../../../src/vlm/decide/decision-form.js';
import { writeElements } from '../../../src/vlm/analyse/elements-form.js';
import { loadPromptProfile } from '../../../src/vlm/prompt/profile.js';
import { seededRandom } from '../../../src/base/random.js';
import { writeOneBox } from '../../../src/vlm/one-box/one-box-form.js';
import { projectFile } from '../../support/photos.js';
import { RandomAnswer } from './random-answer.js';

/**
 * Qwen2's pre-tokenizer (llama.cpp src/llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_QWEN2). BPE merges never cross its splits, so
 * text cut at a split has the same tokens in pieces as whole, whatever the vocabulary.
 */
const QWEN2_SPLIT =
  /'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu;

const frame = { width: 252, height: 196 };

function expectSplits({ pieces, text }: RandomAnswer): void {
  const splits = new Set([...text.matchAll(QWEN2_SPLIT)].map(({ index }) => index));
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    expect(splits.has(at), `no split before ${JSON.stringify(piece)} after ${JSON.stringify(pieces[i - 1])}`).toBe(
      true,
    );
    at += piece.length;
  }
}

test.each(['standard', 'compact'])(
  'every piece of a %s answer meets the next where the pre-tokenizer splits',
  async (name) => {
    const profile = await loadPromptProfile(name);
    for (let seed = 0; seed < 200; seed++) {
      const answers = [0, 1, 2].map(() => new RandomAnswer(seededRandom(seed)));
      await writeElements(answers[0]!, frame, profile.style);
      await writeCandidates(answers[1]!, { frame, minSize: 0.25 }, 3, profile);
      answers[2]!.literal(aroundBest(profile.style).opening);
      await writeDecision(answers[2]!, 1 + (seed % 12), profile);
      for (const answer of answers) expectSplits(answer);
    }
  },
);

test.each(['shuttermuse', 'framelite'])('every piece of the answer of the example %s does too', async (name) => {
  const { oneBox } = await loadPromptProfile(projectFile('examples', 'models', name, 'profile.json'));
  for (let seed = 0; seed < 50; seed++) {
    const answer = new RandomAnswer(seededRandom(seed));
    await writeOneBox(answer, { width: 1000, height: 1000 }, oneBox!);
    expectSplits(answer);
  }
});

test('the pattern above splits as Qwen2 does', () => {
  expect('{"box":[12,3],"why":"keeps it."}\n'.match(QWEN2_SPLIT)).toEqual([
    '{"',
    'box',
    '":[',
    '1',
    '2',
    ',',
    '3',
    '],"',
    'why',
    '":"',
    'keeps',
    ' it',
    '."}\n',
  ]);
  expect('{"bbox_2d": [1, 2], "label": "Keeps it."}\n'.match(QWEN2_SPLIT)).toEqual([
    '{"',
    'bbox',
    '_',
    '2',
    'd',
    '":',
    ' [',
    '1',
    ',',
    ' ',
    '2',
    '],',
    ' "',
    'label',
    '":',
    ' "',
    'Keeps',
    ' it',
    '."}\n',
  ]);
});
