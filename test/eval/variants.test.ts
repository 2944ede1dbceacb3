import { describe, expect, test } from 'vitest';
import { planVariants, type VariantGroup, type VariantRequest } from '../../src/eval/variants.js';
import { STAGES } from '../../src/base/stages.js';

const plain: VariantRequest = {
  kind: 'boxes',
  model: 'nano',
  candidates: 5,
  votes: 1,
  imageTokens: 64,
  adapters: [{ name: 'vlm', loras: [] }],
  stages: [],
  sweeps: [],
};
const namesOf = (groups: readonly VariantGroup[]): string[][] =>
  groups.map(({ variants }) => variants.map(({ name }) => name!));

describe('planVariants', () => {
  test('takes stages away one at a time, in one loaded model', () => {
    const groups = planVariants({ ...plain, stages: STAGES });
    expect(namesOf(groups)).toEqual([
      ['vlm', 'vlm, no analysis', 'vlm, no enhancement', 'vlm, no proposal', 'vlm, no decision'],
    ]);
    expect(groups[0]!.variants[2]).toMatchObject({
      without: ['enhancement'],
      ablation: { of: 'vlm', change: 'no enhancement' },
    });
  });

  test('sweeps one setting at a time, the usual one being a point of each', () => {
    const groups = planVariants({
      ...plain,
      sweeps: [
        { parameter: 'candidates', values: [1, 5, 8] },
        { parameter: 'votes', values: [1, 3] },
        { parameter: 'image-tokens', values: [36, 64] },
      ],
    });
    expect(namesOf(groups)).toEqual([
      ['vlm', 'vlm, candidates 1', 'vlm, candidates 8', 'vlm, votes 3'],
      ['vlm, image tokens 36'],
    ]);
    expect(groups[0]!.variants[0]!.sweeps).toEqual([
      { parameter: 'candidates', value: 5, series: 'vlm' },
      { parameter: 'votes', value: 1, series: 'vlm' },
      { parameter: 'image tokens', value: 64, series: 'vlm' },
    ]);
    expect(groups[0]!.variants[2]).toMatchObject({ candidates: 8, votes: 1 });
    expect(groups[1]).toMatchObject({ imageTokens: 36 });
  });

  test('runs sweeps for each set of adapters, stages off for the last, and scales only where there are adapters', () => {
    const sft = { path: 'sft.gguf' };
    const dpo = { path: 'dpo.gguf', scale: 0.5 };
    const groups = planVariants({
      ...plain,
      adapters: [
        { name: 'base', loras: [] },
        { name: 'SFT', loras: [sft] },
        { name: 'DPO', loras: [sft, dpo] },
      ],
      stages: ['decision'],
      sweeps: [
        { parameter: 'candidates', values: [3] },
        { parameter: 'adapter-scale', values: [1, 2] },
        {
          parameter: 'model',
          models: [
            { model: 'nano', label: 'nano', bitsPerWeight: 8.5 },
            { model: 'b.gguf', label: 'b', bitsPerWeight: 4 },
          ],
        },
      ],
    });
    expect(namesOf(groups)).toEqual([
      ['DPO', 'DPO, no decision', 'DPO, candidates 3'],
      ['DPO, adapter scale 2'],
      ['DPO, b'],
      ['base', 'base, candidates 3'],
      ['base, b'],
      ['SFT', 'SFT, candidates 3'],
      ['SFT, adapter scale 2'],
      ['SFT, b'],
    ]);
    expect(groups[1]!.loras).toEqual([
      { path: 'sft.gguf', scale: 2 },
      { path: 'dpo.gguf', scale: 1 },
    ]);
    expect(groups[2]).toMatchObject({ model: 'b.gguf', loras: [sft, dpo] });
    expect(groups[2]!.variants[0]!.sweeps).toEqual([
      { parameter: 'model (bits a weight)', value: 4, label: 'b', series: 'DPO' },
    ]);
    expect(groups[3]!.variants[0]!.ablation).toEqual({ of: 'DPO', change: 'adapters: base' });
  });

  test.each([
    [{ kind: 'ranking', stages: ['decision'] }, /has no decision to take away: its stages are analysis, enhancement/],
    [{ kind: 'elements', stages: ['analysis'] }, /it is the analysis alone/],
    [{ kind: 'ranking', sweeps: [{ parameter: 'votes', values: [3] }] }, /no votes to sweep/],
    [{ sweeps: [{ parameter: 'adapter-scale', values: [0.5] }] }, /needs adapters/],
  ] as const)('refuses %j', (change, message) => {
    expect(() => planVariants({ ...plain, ...change })).toThrow(message);
  });
});
