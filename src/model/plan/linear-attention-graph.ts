import { linearWidthsOf, type LinearAttention } from '../../../gguf/index.js';
import type { GraphBuilder, GraphTensor } from './graph.js';

/** Values of one sequence's running state in one layer: what the convolution looks back at, and what is remembered. */
export function stateValues(linear: LinearAttention): number {
  const { nConv, nValueHeads, headSize } = linear;
  return (nConv - 1) * linearWidthsOf(linear).nQkv + nValueHeads * headSize ** 2;
}

/**
 * A layer that keeps a running state, without its output matrix: `build_layer_attn_linear` of llama.cpp's models/qwen35.cpp,
 * with the fused operation of models/delta-net-base.cpp, which every backend is asked for first.
 */
export function linearAttention(
  g: GraphBuilder,
  source: GraphTensor,
  linear: LinearAttention,
  batch: { readonly n: number; readonly nSeqs: number; readonly stateCopies: GraphTensor },
): GraphTensor {
  const { nConv, nKeyHeads, nValueHeads, headSize } = linear;
  const { nValue, nQkv } = linearWidthsOf(linear);
  const { n, nSeqs, stateCopies } = batch;
  const perSequence = n / nSeqs;
  const matmul = (nOut: number): GraphTensor => g.op('mul_mat', [source], 'F32', [nOut, n]);
  const unary = (tensor: GraphTensor, shape: readonly number[]): GraphTensor => g.op('unary', [tensor], 'F32', shape);
  /** Of every sequence of the batch, copied out of the cache. */
  const states = (nValues: number): GraphTensor => {
    g.expand(g.external());
    const copied = g.op('get_rows', [g.view(stateCopies, 'I32', [nSeqs])], 'F32', [nValues, nSeqs]);
    g.expand(copied);
    return copied;
  };

  const qkv = matmul(nQkv);
  const z = matmul(nValue);
  const heads = [1, nValueHeads, perSequence, nSeqs];
  const beta = unary(g.view(matmul(nValueHeads), 'F32', heads), heads);
  const alpha = g.op('add', [g.view(matmul(nValueHeads), 'F32', heads.slice(1))], 'F32', heads.slice(1));
  const decay = g.op('mul', [unary(alpha, heads.slice(1))], 'F32', heads.slice(1));

  const before = g.view(states((nConv - 1) * nQkv), 'F32', [nConv - 1, nQkv, nSeqs]);
  const swept = g.view(qkv, 'F32', [perSequence, nQkv, nSeqs], true);
  const seen = g.op('concat', [before, swept], 'F32', [nConv - 1 + perSequence, nQkv, nSeqs]);
  g.expand(g.external([g.view(seen, 'F32', [nConv - 1, nQkv, nSeqs], true)]));
  const state = g.view(states(nValueHeads * headSize ** 2), 'F32', [headSize, headSize, nValueHeads, nSeqs]);
  const convolved = unary(g.op('ssm_conv', [seen], 'F32', [nQkv, perSequence, nSeqs]), [nQkv, perSequence, nSeqs]);
  const part = (nHeads: number): GraphTensor => g.view(convolved, 'F32', [headSize, nHeads, perSequence, nSeqs], true);
  const even = (nHeads: number): GraphTensor => {
    const shape = [headSize, nHeads, perSequence, nSeqs];
    return g.op('scale', [g.op('rms_norm', [part(nHeads)], 'F32', shape)], 'F32', shape);
  };
  const [q, k, v] = [even(nKeyHeads), even(nKeyHeads), part(nValueHeads)];
  const result = g.op('gated_delta_net', [q, k, v, g.view(decay, 'F32', heads), beta, state], 'F32', [
    nValue,
    n + headSize * nSeqs,
  ]);
  const shape = [headSize, nValueHeads, perSequence, nSeqs];
  const output = g.view(result, 'F32', shape);
  g.expand(g.external([g.view(result, 'F32', [headSize, headSize, nValueHeads, nSeqs], true)]));
  const normed = g.op('mul', [g.op('rms_norm', [output], 'F32', shape)], 'F32', shape);
  return g.op('mul', [normed, unary(g.view(z, 'F32', shape), shape)], 'F32', shape);
}
