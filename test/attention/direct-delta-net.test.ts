import { expect, test } from 'vitest';
import { toyShapeOf } from '../../gguf/toy-shapes.js';
import { replayAttention } from '../../src/attention/replay.js';
import { someTokens, useToy, wholeVocabulary } from '../runtime/toy.js';
import {
  dot,
  EPS,
  feedForward,
  plus,
  readWeights,
  rmsNorm,
  rotate,
  sigmoid,
  silu,
  softmax,
  times,
  type Matrix,
} from './direct-math.js';

const SHAPE = toyShapeOf('qwen35', 'tiny').text;
const FREQ_BASE = 1e7;
/** Larger weights than a toy has by default, or every token would get about the same. */
const toy = useToy({ family: 'qwen35', seed: 7, initScale: 3 });

type Stream = readonly (readonly number[])[];
type Weight = (name: string) => Promise<Matrix>;

function headsOf(x: readonly number[], size: number): number[][] {
  return Array.from({ length: x.length / size }, (_, head) => x.slice(head * size, (head + 1) * size));
}

/** The gated delta rule (Yang et al., arXiv 2412.06464), token by token: a state forgets, and learns what it got wrong. */
async function deltaNet(weight: Weight, normed: Stream): Promise<Stream> {
  const { nConv, nKeyHeads, nValueHeads, headSize } = SHAPE.linear!;
  const [qkvMatrix, zMatrix, alphaMatrix, betaMatrix, outMatrix, kernel] = [
    await weight('attn_qkv.weight'),
    await weight('attn_gate.weight'),
    await weight('ssm_alpha.weight'),
    await weight('ssm_beta.weight'),
    await weight('ssm_out.weight'),
    await weight('ssm_conv1d.weight'),
  ];
  const [[dt], [a], [norm]] = [await weight('ssm_dt.bias'), await weight('ssm_a'), await weight('ssm_norm.weight')];
  const unit = (x: readonly number[]): number[] => x.map((value) => value / Math.sqrt(dot(x, x) + EPS));
  const projected = normed.map((x) => times(qkvMatrix, x));
  const states = Array.from({ length: nValueHeads }, () =>
    Array.from({ length: headSize }, () => new Array<number>(headSize).fill(0)),
  );
  return normed.map((x, t) => {
    const mixed = kernel.map((taps, channel) =>
      silu(taps.reduce((sum, tap, i) => sum + tap * (projected[t - (nConv - 1) + i]?.[channel] ?? 0), 0)),
    );
    const nKey = nKeyHeads * headSize;
    const queries = headsOf(mixed.slice(0, nKey), headSize).map(unit);
    const keys = headsOf(mixed.slice(nKey, 2 * nKey), headSize).map(unit);
    const values = headsOf(mixed.slice(2 * nKey), headSize);
    const [alpha, beta, z] = [times(alphaMatrix, x), times(betaMatrix, x), headsOf(times(zMatrix, x), headSize)];
    const said = values.flatMap((value, head) => {
      const [query, key, state] = [queries[head % nKeyHeads]!, keys[head % nKeyHeads]!, states[head]!];
      const kept = Math.exp(a![head]! * Math.log1p(Math.exp(alpha[head]! + dt![head]!)));
      for (const row of state) row.forEach((_, j) => (row[j]! *= kept));
      const known = value.map((_, j) =>
        dot(
          key,
          state.map((row) => row[j]!),
        ),
      );
      const learnt = value.map((v, j) => sigmoid(beta[head]!) * (v - known[j]!));
      state.forEach((row, i) => row.forEach((_, j) => (row[j]! += key[i]! * learnt[j]!)));
      const output = value.map(
        (_, j) =>
          dot(
            query,
            state.map((row) => row[j]!),
          ) / Math.sqrt(headSize),
      );
      return rmsNorm(output, norm!).map((v, j) => v * silu(z[head]![j]!));
    });
    return times(outMatrix, said);
  });
}

/** `rows` by head, and what the layer adds; queries bring a gate for what they find. */
async function gatedAttention(weight: Weight, normed: Stream): Promise<{ rows: number[][][]; added: Stream }> {
  const { nHead, nHeadKv, headSize = 0, nRot = 0 } = SHAPE;
  const [qMatrix, kMatrix, vMatrix, output] = [
    await weight('attn_q.weight'),
    await weight('attn_k.weight'),
    await weight('attn_v.weight'),
    await weight('attn_output.weight'),
  ];
  const [[qNorm], [kNorm]] = [await weight('attn_q_norm.weight'), await weight('attn_k_norm.weight')];
  const queries = normed.map((x) => headsOf(times(qMatrix, x), 2 * headSize));
  const keys = normed.map((x, j) =>
    headsOf(times(kMatrix, x), headSize).map((key) => rotate(rmsNorm(key, kNorm!), j, FREQ_BASE, nRot)),
  );
  const values = normed.map((x) => headsOf(times(vMatrix, x), headSize));
  const kv = (head: number): number => Math.floor(head / (nHead / nHeadKv));
  const rows = Array.from({ length: nHead }, (_, head) =>
    queries.map((heads, i) => {
      const query = rotate(rmsNorm(heads[head]!.slice(0, headSize), qNorm!), i, FREQ_BASE, nRot);
      return softmax(keys.slice(0, i + 1).map((key) => dot(query, key[kv(head)]!) / Math.sqrt(headSize)));
    }),
  );
  const added = normed.map((_, i) =>
    times(
      output,
      rows.flatMap((ofHead, head) =>
        Array.from({ length: headSize }, (__, k) => {
          const found = ofHead[i]!.reduce((sum, share, j) => sum + share * values[j]![kv(head)]![k]!, 0);
          return found * sigmoid(queries[i]![head]![headSize + k]!);
        }),
      ),
    ),
  );
  return { rows, added };
}

/** Attention by layer, of those that attend, and the log-probabilities after the last token. */
async function direct(
  path: string,
  tokens: Int32Array,
): Promise<{ attention: Map<number, number[][][]>; next: number[] }> {
  const read = await readWeights(path);
  const embedding = await read('token_embd.weight');
  let stream: Stream = Array.from(tokens, (token) => embedding[token]!);
  const attention = new Map<number, number[][][]>();
  for (let layer = 0; layer < SHAPE.nLayer; layer++) {
    const weight: Weight = (name) => read(`blk.${layer}.${name}`);
    const [norm] = await weight('attn_norm.weight');
    const normed = stream.map((x) => rmsNorm(x, norm!));
    let added: Stream;
    if ((layer + 1) % SHAPE.linear!.fullInterval === 0) {
      const attended = await gatedAttention(weight, normed);
      attention.set(layer, attended.rows);
      added = attended.added;
    } else added = await deltaNet(weight, normed);
    const forward = await feedForward(weight, 'post_attention_norm');
    stream = stream.map((x, i) => {
      const mixed = plus(x, added[i]!);
      return plus(mixed, forward(mixed));
    });
  }
  const [norm] = await read('output_norm.weight');
  const logits = times(embedding, rmsNorm(stream.at(-1)!, norm!));
  return { attention, next: softmax(logits).map(Math.log) };
}

test('a Qwen3.5 says what its definition says: gated delta rule, gated attention, and what comes next', async () => {
  const { model, textPath } = toy();
  const tokens = someTokens(70, 3);
  const expected = await direct(textPath, tokens);
  await using context = await model.createContext({ nCtx: 128, nSeqMax: 1, captureAttention: true, kvType: 'f32' });
  const { attention, logProbs } = await context.session().append(tokens, {
    attention: { layers: Array.from({ length: SHAPE.nLayer }, (_, i) => i) },
    choices: wholeVocabulary(model),
  });
  expect(attention!.map(({ layer }) => layer)).toEqual([...expected.attention.keys()]);
  let furthestFromUniform = 0;
  for (const { layer, nHead, nTokens, nKv, weights } of attention!) {
    for (let head = 0; head < nHead; head++) {
      for (let i = 0; i < nTokens; i++) {
        const row = weights.subarray((head * nTokens + i) * nKv, (head * nTokens + i + 1) * nKv);
        expected.attention.get(layer)![head]![i]!.forEach((share, j) => {
          expect(Math.abs(row[j]! - share)).toBeLessThan(1e-4);
          furthestFromUniform = Math.max(furthestFromUniform, Math.abs(share - 1 / (i + 1)));
        });
      }
    }
  }
  expect(furthestFromUniform).toBeGreaterThan(0.05);
  expect(Math.max(...Array.from(logProbs, (logProb, i) => Math.abs(logProb - expected.next[i]!)))).toBeLessThan(1e-3);
});

test('a replayed answer of it has the layers that attend, and several sequences are refused', async () => {
  const { model, textPath } = toy();
  const [prompt, answer] = [someTokens(8, 5), someTokens(6, 6)].map((ids) => Array.from(ids));
  const part = (kind: 'prompt' | 'answer', tokens: number[]): Parameters<typeof replayAttention>[1][number] => {
    return { kind, tokens, nTokens: tokens.length, text: '' };
  };
  const { means, nLayer, nHead, nKv } = await replayAttention(model, [
    part('prompt', prompt!),
    part('answer', answer!),
  ]);
  expect([nLayer, nHead, nKv]).toEqual([2, 2, 13]);
  const { attention } = await direct(textPath, Int32Array.from([...prompt!, ...answer!.slice(0, -1)]));
  [...attention.values()].forEach((ofLayer, layer) => {
    ofLayer.forEach((rows, head) => {
      const deciding = rows.slice(7); // the query before the answer's first token is the eighth
      for (let key = 0; key < nKv; key++) {
        const mean = deciding.reduce((sum, row) => sum + (row[key] ?? 0), 0) / deciding.length;
        expect(Math.abs(means[(layer * nHead + head) * nKv + key]! - mean)).toBeLessThan(1e-4);
      }
    });
  });
  await expect(model.createContext({ nCtx: 64, captureAttention: true })).rejects.toMatchObject({ code: 'USAGE' });
});
