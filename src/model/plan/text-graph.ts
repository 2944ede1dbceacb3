import { queryRowsOf, recurrentLayersOf, type Experts } from '../../../gguf/index.js';
import { GraphBuilder, type Graph, type GraphTensor } from './graph.js';
import { linearAttention } from './linear-attention-graph.js';
import type { PairShape } from './shape.js';

export type KvType = 'f16' | 'q8_0' | 'f32';

export interface TextGraphSettings {
  /** Cells of the cache. */
  readonly nCtx: number;
  /** Tokens of one batch. */
  readonly nTokens: number;
  /** Sequences they are of, at most: a recurrent model's states. */
  readonly nSeqs: number;
  /** Rows of logits. */
  readonly nOutputs: number;
  readonly kvType: KvType;
  readonly flashAttention: boolean;
  /** Layers from the last one on that run on the GPU, the output matrix counted as one; 0 for none. */
  readonly gpuLayers: number;
}

/** What llama.cpp reserves for a batch: src/models/<architecture>.cpp and the parts of src/llama-graph.cpp it uses. */
export function textGraph({ family, text }: PairShape, settings: TextGraphSettings): Graph {
  const { nEmbd, nLayer, nFf, nHead, nHeadKv, headSize, nVocab, nDeepstack, experts, linear } = text;
  const { nCtx, nTokens: n, nSeqs, nOutputs, kvType, flashAttention, gpuLayers } = settings;
  const nQ = headSize * nHead;
  const nKv = headSize * nHeadKv;
  const nEmbdInput = nEmbd * (1 + nDeepstack);
  const firstOnGpu = nLayer + 1 - gpuLayers;
  const g = new GraphBuilder();
  const matmul = (source: GraphTensor, nOut: number, rows: number): GraphTensor =>
    g.op('mul_mat', [source], 'F32', [nOut, rows]);
  const normed = (source: GraphTensor, shape: readonly number[]): GraphTensor =>
    g.op('mul', [g.op('rms_norm', [source], 'F32', shape)], 'F32', shape);
  const norm = (source: GraphTensor, rows: number): GraphTensor => normed(source, [nEmbd, rows]);

  g.place = 'host';
  const tokens = g.input('I32', [n]);
  const embedding = g.input('F32', [nEmbdInput, n]); // an image's, instead of tokens
  let residual = g.op('get_rows', [tokens], 'F32', [nEmbd, n]);
  const input = nDeepstack > 0 ? g.op('pad', [residual], 'F32', [nEmbdInput, n]) : residual;
  g.expand(input);
  g.expand(embedding);
  if (nDeepstack > 0) residual = g.view(input, 'F32', [nEmbd, n], true);
  g.expand(residual);
  const stateCopies = g.input('I32', [nSeqs]);
  const positions = g.input('I32', [4 * n]); // M-RoPE: four for each token
  const kCells = g.input('I64', [n]);
  const vCells = g.input('I64', [flashAttention ? n : n * nKv]);
  const mask = g.input(flashAttention ? 'F16' : 'F32', [nCtx, n]);
  // A quantised cache is rotated first, with a Hadamard matrix (llama-kv-cache.cpp, attn_rot_k).
  const rotates = kvType === 'q8_0' && headSize % 64 === 0;
  const rotationSize = rotates ? largestRotation(headSize) : 0;
  const rotation = rotates ? g.input('F32', [rotationSize, rotationSize]) : undefined;
  const vRotation = rotates ? g.input('F32', [64, 64]) : undefined;
  const outputIds = g.input('I32', [nOutputs]);
  const rotate = (tensor: GraphTensor, matrix: GraphTensor | undefined, nHeads: number, size: number): GraphTensor => {
    if (!matrix) return tensor;
    const rows = (headSize * nHeads * n) / size;
    const rotated = g.op('mul_mat', [matrix, g.view(tensor, 'F32', [size, rows])], 'F32', [size, rows]);
    return g.view(rotated, 'F32', [headSize, nHeads, n]);
  };

  const feedForward = (source: GraphTensor, rows: number): GraphTensor => {
    const gated = g.op('glu', [matmul(source, nFf, rows), matmul(source, nFf, rows)], 'F32', [nFf, rows]);
    return matmul(gated, nEmbd, rows);
  };

  /** Without its output matrix. */
  const attention = (source: GraphTensor): GraphTensor => {
    const heads = (nHeads: number): GraphTensor => {
      const projected = matmul(source, headSize * nHeads, n);
      const biased = family.hasQkNorm ? projected : g.op('add', [projected], 'F32', [headSize * nHeads, n]);
      return g.view(biased, 'F32', [headSize, nHeads, n]);
    };
    const placed = (tensor: GraphTensor, nHeads: number): GraphTensor => {
      const even = family.hasQkNorm ? normed(tensor, [headSize, nHeads, n]) : tensor;
      return g.op(linear ? 'rope_in_place' : 'rope', [even, positions], 'F32', [headSize, nHeads, n]);
    };
    // Where layers of a running state stand between them, queries come with a gate of their size.
    const gated = linear ? matmul(source, queryRowsOf(text), n) : undefined;
    const half = (): GraphTensor => g.view(gated!, 'F32', [headSize, nHead, n], true);
    const [qHeads, kHeads] = [gated ? half() : heads(nHead), heads(nHeadKv)];
    let v = heads(nHeadKv);
    let q = placed(qHeads, nHead);
    let k = placed(kHeads, nHeadKv);
    q = rotate(q, rotation, nHead, rotationSize);
    k = rotate(k, rotation, nHeadKv, rotationSize);
    v = rotate(v, vRotation, nHeadKv, 64);
    g.expand(q);
    g.expand(v);
    g.expand(k);
    g.expand(g.external([g.view(k, 'F32', [nKv, n]), kCells]));
    g.expand(g.external([g.view(v, 'F32', flashAttention ? [nKv, n] : [1, nKv * n]), vCells]));

    const queries = g.view(q, 'F32', [headSize, n, nHead], true);
    let attended: GraphTensor;
    if (flashAttention) {
      const cast = kvType === 'f32' ? [0, 1].map(() => g.op('cpy', [], 'F16', [headSize, nCtx, nHeadKv])) : [];
      attended = g.op('flash_attn', [queries, ...cast, mask], 'F32', [headSize, nHead, n]);
      attended = g.view(attended, 'F32', [nQ, n]);
    } else {
      const scores = g.op('mul_mat', [queries], 'F32', [nCtx, n, nHead]);
      const weights = g.op('soft_max', [scores, mask], 'F32', [nCtx, n, nHead]);
      const mixed = g.op('mul_mat', [weights], 'F32', [headSize, n, nHead]);
      attended = g.op('cont', [g.view(mixed, 'F32', [headSize, nHead, n], true)], 'F32', [nQ, n]);
    }
    g.expand(attended);
    if (vRotation) {
      attended = g.op('mul_mat', [vRotation, g.view(attended, 'F32', [64, (nQ * n) / 64])], 'F32', [64, (nQ * n) / 64]);
      attended = g.view(attended, 'F32', [nQ, n]);
    }
    if (!gated) return attended;
    const gate = g.op('unary', [g.op('cont', [half()], 'F32', [nQ, n])], 'F32', [nQ, n]);
    return g.op('mul', [attended, gate], 'F32', [nQ, n]);
  };

  const isRecurrent = recurrentLayersOf(text);
  for (let layer = 0; layer < nLayer; layer++) {
    g.place = layer >= firstOnGpu ? 'gpu' : 'host';
    const source = norm(residual, n);
    if (linear) g.expand(source);
    const mixed =
      linear && isRecurrent[layer] ? linearAttention(g, source, linear, { n, nSeqs, stateCopies }) : attention(source);
    let current = matmul(mixed, nEmbd, n);
    let rows = n;
    // A recurrent model goes through its last layer with every token, whether its logits are wanted or not.
    if (layer === nLayer - 1 && !linear) {
      rows = nOutputs;
      current = g.op('get_rows', [current, outputIds], 'F32', [nEmbd, rows]);
      residual = g.op('get_rows', [residual, outputIds], 'F32', [nEmbd, rows]);
    }
    const between = g.op('add', [current, residual], 'F32', [nEmbd, rows]);
    const betweenNormed = norm(between, rows);
    const forward = experts ? mixture(g, betweenNormed, nEmbd, rows, experts) : feedForward(betweenNormed, rows);
    residual = g.op('add', [forward, between], 'F32', [nEmbd, rows]);
    if (layer < nDeepstack)
      residual = g.op('add', [residual, g.view(input, 'F32', [nEmbd, n], true)], 'F32', [nEmbd, rows]);
  }
  g.place = nLayer >= firstOnGpu ? 'gpu' : 'host';
  const last = linear
    ? g.op('get_rows', [norm(residual, n), outputIds], 'F32', [nEmbd, nOutputs])
    : norm(residual, nOutputs);
  g.expand(matmul(last, nVocab, nOutputs));
  return g.graph();
}

/** Feed-forward through the experts each token chooses (llama-graph.cpp, build_moe_ffn). */
function mixture(g: GraphBuilder, source: GraphTensor, nEmbd: number, n: number, experts: Experts): GraphTensor {
  const { count, used, nFf } = experts;
  const logits = g.op('mul_mat', [source], 'F32', [count, n]);
  const probabilities = g.op('soft_max', [logits], 'F32', [count, n]);
  const order = g.op('argsort', [probabilities], 'I32', [count, n]);
  const chosen = g.view(order, 'I32', [used, n], true);
  const picked = g.op('get_rows', [g.view(probabilities, 'F32', [1, count, n]), chosen], 'F32', [1, used, n]);
  const shares = g.view(picked, 'F32', [used, n]);
  const sum = g.op('clamp', [g.op('sum_rows', [shares], 'F32', [1, n])], 'F32', [1, n]);
  const weights = g.view(g.op('div', [shares, sum], 'F32', [used, n]), 'F32', [1, used, n]);
  g.expand(weights);
  const each = g.view(source, 'F32', [nEmbd, 1, n]);
  const through = (from: GraphTensor, nOut: number): GraphTensor =>
    g.op('mul_mat_id', [from, chosen], 'F32', [nOut, used, n]);
  const up = through(each, nFf);
  const gate = through(each, nFf);
  const down = through(g.op('glu', [gate, up], 'F32', [nFf, used, n]), nEmbd);
  const weighted = g.op('mul', [down, weights], 'F32', [nEmbd, used, n]);
  const parts = Array.from({ length: used }, () => g.view(weighted, 'F32', [nEmbd, n], true));
  for (const part of parts) g.expand(part);
  const [first, ...others] = parts as [GraphTensor, ...GraphTensor[]];
  if (others.length === 0) return g.op('cont', [first], 'F32', [nEmbd, n]);
  return others.reduce((total, part) => g.op('add', [total, part], 'F32', [nEmbd, n]), first);
}

/** The largest power of two from 64 on that divides the head size (llama-kv-cache.cpp, build_input_k_rot). */
function largestRotation(headSize: number): number {
  let size = 64;
  while (headSize % (2 * size) === 0) size *= 2;
  return size;
}
