import { GraphBuilder, type Graph, type GraphTensor } from './graph.js';
import type { TextModelShape } from './shape.js';

export type KvType = 'f16' | 'q8_0' | 'f32';

export interface TextGraphSettings {
  /** Cells of the cache. */
  readonly nCtx: number;
  /** Tokens of one batch. */
  readonly nTokens: number;
  /** Rows of logits. */
  readonly nOutputs: number;
  readonly kvType: KvType;
  readonly flashAttention: boolean;
  /** Layers from the last one on that run on the GPU, the output matrix counted as one; 0 for none. */
  readonly gpuLayers: number;
}

/** What llama.cpp reserves for a batch: src/models/qwen2vl.cpp and the parts of src/llama-graph.cpp it uses. */
export function textGraph(shape: TextModelShape, settings: TextGraphSettings): Graph {
  const { nEmbd, nLayer, nFf, nHead, nHeadKv, nVocab } = shape;
  const { nCtx, nTokens: n, nOutputs, kvType, flashAttention, gpuLayers } = settings;
  const headSize = nEmbd / nHead;
  const nKv = headSize * nHeadKv;
  const firstOnGpu = nLayer + 1 - gpuLayers;
  const g = new GraphBuilder();
  const matmul = (source: GraphTensor, nOut: number, rows: number): GraphTensor =>
    g.op('mul_mat', [source], 'F32', [nOut, rows]);
  const norm = (source: GraphTensor, rows: number): GraphTensor =>
    g.op('mul', [g.op('rms_norm', [source], 'F32', [nEmbd, rows])], 'F32', [nEmbd, rows]);

  g.place = 'host';
  const tokens = g.input('I32', [n]);
  const embedding = g.input('F32', [nEmbd, n]); // an image's, instead of tokens
  let residual = g.op('get_rows', [tokens], 'F32', [nEmbd, n]);
  g.expand(residual);
  g.expand(embedding);
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

  for (let layer = 0; layer < nLayer; layer++) {
    g.place = layer >= firstOnGpu ? 'gpu' : 'host';
    const normed = norm(residual, n);
    const heads = (nOut: number, nHeads: number): GraphTensor =>
      g.view(g.op('add', [matmul(normed, nOut, n)], 'F32', [nOut, n]), 'F32', [headSize, nHeads, n]);
    let q = g.op('rope', [heads(nEmbd, nHead), positions], 'F32', [headSize, nHead, n]);
    let k = g.op('rope', [heads(nKv, nHeadKv), positions], 'F32', [headSize, nHeadKv, n]);
    let v = heads(nKv, nHeadKv);
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
      attended = g.view(attended, 'F32', [nEmbd, n]);
    } else {
      const scores = g.op('mul_mat', [queries], 'F32', [nCtx, n, nHead]);
      const weights = g.op('soft_max', [scores, mask], 'F32', [nCtx, n, nHead]);
      const mixed = g.op('mul_mat', [weights], 'F32', [headSize, n, nHead]);
      attended = g.op('cont', [g.view(mixed, 'F32', [headSize, nHead, n], true)], 'F32', [nEmbd, n]);
    }
    g.expand(attended);
    if (vRotation) {
      attended = g.op('mul_mat', [vRotation, g.view(attended, 'F32', [64, (nEmbd * n) / 64])], 'F32', [
        64,
        (nEmbd * n) / 64,
      ]);
      attended = g.view(attended, 'F32', [nEmbd, n]);
    }
    let current = matmul(attended, nEmbd, n);
    let rows = n;
    if (layer === nLayer - 1) {
      rows = nOutputs;
      current = g.op('get_rows', [current, outputIds], 'F32', [nEmbd, rows]);
      residual = g.op('get_rows', [residual, outputIds], 'F32', [nEmbd, rows]);
    }
    const between = g.op('add', [current, residual], 'F32', [nEmbd, rows]);
    const betweenNormed = norm(between, rows);
    const gated = g.op('glu', [matmul(betweenNormed, nFf, rows), matmul(betweenNormed, nFf, rows)], 'F32', [nFf, rows]);
    residual = g.op('add', [matmul(gated, nEmbd, rows), between], 'F32', [nEmbd, rows]);
  }
  g.place = nLayer >= firstOnGpu ? 'gpu' : 'host';
  g.expand(matmul(norm(residual, nOutputs), nVocab, nOutputs));
  return g.graph();
}

/** The largest power of two from 64 on that divides the head size (llama-kv-cache.cpp, build_input_k_rot). */
function largestRotation(headSize: number): number {
  let size = 64;
  while (headSize % (2 * size) === 0) size *= 2;
  return size;
}
