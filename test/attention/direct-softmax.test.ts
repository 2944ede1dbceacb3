import { describe, expect, test } from 'vitest';
import type { FamilyName } from '../../gguf/index.js';
import { replayAttention } from '../../src/attention/replay.js';
import { someTokens, useToy } from '../runtime/toy.js';
import { dot, feedForward, plus, readWeights, rmsNorm, rotate, softmax, times, type Matrix } from './direct-math.js';

/** What the attention of the two families' toys differs in. */
interface Decoder {
  readonly family: FamilyName;
  readonly nLayer: number;
  readonly headSize: number;
  readonly freqBase: number;
}
const DECODERS: readonly Decoder[] = [
  { family: 'qwen2vl', nLayer: 2, headSize: 32, freqBase: 1e6 },
  { family: 'qwen3vl', nLayer: 3, headSize: 64, freqBase: 5e6 },
];
const [N_HEAD, N_HEAD_KV] = [2, 1];

/** `[layer][head][query][key]` of Qwen2 or Qwen3, straight from its definition. */
async function directAttention(
  { family, nLayer, headSize, freqBase }: Decoder,
  path: string,
  tokens: Int32Array,
): Promise<number[][][][]> {
  const read = await readWeights(path);
  const embedding = await read('token_embd.weight');
  let stream = Array.from(tokens, (token) => [...embedding[token]!]);
  const attention: number[][][][] = [];
  for (let layer = 0; layer < nLayer; layer++) {
    const weight = (name: string): Promise<Matrix> => read(`blk.${layer}.${name}`);
    const [norm] = await weight('attn_norm.weight');
    const normed = stream.map((x) => rmsNorm(x, norm!));
    const project = async (name: string): Promise<number[][]> => {
      const matrix = await weight(`attn_${name}.weight`);
      if (family === 'qwen3vl') return normed.map((x) => times(matrix, x));
      const [bias] = await weight(`attn_${name}.bias`);
      return normed.map((x) => plus(times(matrix, x), bias!));
    };
    const [queries, keys, values] = [await project('q'), await project('k'), await project('v')];
    const headOf = (x: readonly number[], head: number): number[] => x.slice(head * headSize, (head + 1) * headSize);
    // Qwen3 normalises each head by itself before it is turned.
    const norms = family === 'qwen3vl' ? [await weight('attn_q_norm.weight'), await weight('attn_k_norm.weight')] : [];
    const placed = (x: readonly number[], norm: Matrix | undefined, position: number): number[] =>
      rotate(norm ? rmsNorm(x, norm[0]!) : x, position, freqBase);
    const kvHead = (head: number): number => Math.floor(head / (N_HEAD / N_HEAD_KV));
    const rows = Array.from({ length: N_HEAD }, (_, head) =>
      queries.map((query, i) => {
        const rotated = placed(headOf(query, head), norms[0], i);
        return softmax(
          keys
            .slice(0, i + 1)
            .map((key, j) => dot(rotated, placed(headOf(key, kvHead(head)), norms[1], j)) / Math.sqrt(headSize)),
        );
      }),
    );
    attention.push(rows);
    const output = await weight('attn_output.weight');
    const forward = await feedForward(weight, 'ffn_norm');
    stream = stream.map((x, i) => {
      const mixed = rows.flatMap((ofHead, head) =>
        Array.from({ length: headSize }, (_, k) =>
          ofHead[i]!.reduce((sum, share, j) => sum + share * headOf(values[j]!, kvHead(head))[k]!, 0),
        ),
      );
      const attended = plus(x, times(output, mixed));
      return plus(attended, forward(attended));
    });
  }
  return attention;
}

describe.each(DECODERS)('of a $family', (decoder) => {
  /** Larger weights than a toy has by default, or every token would get about the same. */
  const toy = useToy({ family: decoder.family, seed: 7, initScale: 4 });

  test('captured attention is the softmax of K·Q computed from the weights, each row summing to 1', async () => {
    const { model, textPath } = toy();
    const tokens = someTokens(24, 3);
    const expected = await directAttention(decoder, textPath, tokens);
    await using context = await model.createContext({ nCtx: 64, captureAttention: true, kvType: 'f32' });
    const { attention } = await context.session().append(tokens, {
      attention: { layers: Array.from({ length: decoder.nLayer }, (_, i) => i) },
    });
    let greatest = 0;
    let furthestFromUniform = 0;
    for (const { layer, nHead, nTokens, nKv, weights } of attention!) {
      for (let head = 0; head < nHead; head++) {
        for (let i = 0; i < nTokens; i++) {
          const row = weights.subarray((head * nTokens + i) * nKv, (head * nTokens + i + 1) * nKv);
          expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
          expected[layer]![head]![i]!.forEach((share, j) => {
            greatest = Math.max(greatest, Math.abs(row[j]! - share));
            furthestFromUniform = Math.max(furthestFromUniform, Math.abs(share - 1 / (i + 1)));
          });
        }
      }
    }
    expect(furthestFromUniform).toBeGreaterThan(0.05);
    expect(greatest).toBeLessThan(1e-4);
  });

  test('a replayed answer has the mean of the rows that decided its tokens', async () => {
    const { model, textPath } = toy();
    const [system, prompt, answer] = [someTokens(7, 4), someTokens(5, 5), someTokens(9, 6)].map((ids) =>
      Array.from(ids),
    );
    const part = (kind: 'prompt' | 'answer', tokens: number[]): Parameters<typeof replayAttention>[1][number] => {
      return { kind, tokens, nTokens: tokens.length, text: '' };
    };
    const parts = [part('answer', system!), part('prompt', prompt!), part('answer', answer!), part('prompt', prompt!)];
    const { means, nKv, nRows } = await replayAttention(model, parts);
    expect([nKv, nRows]).toEqual([20, 9]);
    const direct = await directAttention(
      decoder,
      textPath,
      Int32Array.from([...system!, ...prompt!, ...answer!.slice(0, -1)]),
    );
    for (let layer = 0; layer < decoder.nLayer; layer++) {
      for (let head = 0; head < N_HEAD; head++) {
        const row = means.subarray((layer * N_HEAD + head) * nKv, (layer * N_HEAD + head + 1) * nKv);
        expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
        row.forEach((share, key) => {
          const rows = direct[layer]![head]!.slice(11); // the query before the answer's first token is the twelfth
          const mean = rows.reduce((sum, query) => sum + (query[key] ?? 0), 0) / rows.length;
          expect(Math.abs(share - mean)).toBeLessThan(1e-4);
        });
      }
    }
  });
});
