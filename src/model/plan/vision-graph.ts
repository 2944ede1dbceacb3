import { GraphBuilder, type Graph, type GraphTensor, type Place } from './graph.js';
import type { VisionModelShape } from './shape.js';

export interface VisionGraphSettings {
  /** Merged image tokens (28 x 28 px) of the image. */
  readonly nImageTokens: number;
  readonly flashAttention: boolean;
  readonly place: Place;
}

/** What libmtmd reserves for one image: tools/mtmd/models/qwen2vl.cpp and the parts of clip.cpp it uses. */
export function visionGraph(shape: VisionModelShape, settings: VisionGraphSettings): Graph {
  const { nEmbd, nFf, nLayer, nHead, nWaPattern, projectionDim } = shape;
  const { nImageTokens, flashAttention } = settings;
  const n = 4 * nImageTokens; // patches of 14 x 14 px
  const headSize = nEmbd / nHead;
  const isWindowed = nWaPattern > 0;
  const g = new GraphBuilder();
  g.place = settings.place;
  const matmul = (source: GraphTensor, nOut: number, rows: number): GraphTensor =>
    g.op('mul_mat', [source], 'F32', [nOut, rows]);
  const linear = (source: GraphTensor, nOut: number, rows: number): GraphTensor =>
    g.op('add', [matmul(source, nOut, rows)], 'F32', [nOut, rows]);
  const norm = (source: GraphTensor): GraphTensor =>
    g.op('mul', [g.op('rms_norm', [source], 'F32', [nEmbd, n])], 'F32', [nEmbd, n]);

  const pixels = g.input('F32', [14 * 14 * n, 3]);
  const patches = (): GraphTensor => {
    const columns = g.op('im2col', [pixels], 'F16', [3 * 14 * 14, n]);
    const convolved = matmul(g.view(columns, 'F16', [3 * 14 * 14, n, 1]), n, nEmbd);
    return g.op('cont', [g.view(g.view(convolved, 'F32', [n, 1, nEmbd]), 'F32', [n, nEmbd], true)], 'F32', [n, nEmbd]);
  };
  let current = g.op('add', [patches(), patches()], 'F32', [n, nEmbd]);
  current = g.op('cont', [g.view(current, 'F32', [nEmbd, n], true)], 'F32', [2 * nEmbd, n / 2]);
  const pairs = g.view(g.view(current, 'F32', [2 * nEmbd, n / 4, 2]), 'F32', [2 * nEmbd, 2, n / 4], true);
  current = g.op('cont', [pairs], 'F32', [nEmbd, n]);

  const positions = g.input('I32', [4 * n]);
  let mask: GraphTensor | undefined;
  if (isWindowed) {
    const order = g.input('I32', [n / 4]);
    mask = g.input('F32', [n, n]);
    if (flashAttention) mask = g.op('cpy', [mask], 'F16', [n, n]);
    const windows = g.op('get_rows', [g.view(current, 'F32', [4 * nEmbd, n / 4]), order], 'F32', [4 * nEmbd, n / 4]);
    current = g.view(windows, 'F32', [nEmbd, n]);
  }
  let residual = current;
  for (let layer = 0; layer < nLayer; layer++) {
    const isFull = !isWindowed || (layer + 1) % nWaPattern === 0;
    const normed = norm(residual);
    const heads = (): GraphTensor => g.view(linear(normed, nEmbd, n), 'F32', [headSize, nHead, n]);
    const rope = (source: GraphTensor): GraphTensor => g.op('rope', [source, positions], 'F32', [headSize, nHead, n]);
    const [qHeads, kHeads, v] = [heads(), heads(), heads()];
    const [q, k] = [rope(qHeads), rope(kHeads)];
    g.expand(q);
    g.expand(k);
    g.expand(v);
    const turned = (tensor: GraphTensor): GraphTensor => g.view(tensor, 'F32', [headSize, n, nHead], true);
    const layerMask = isFull ? undefined : mask;
    let attended: GraphTensor;
    if (flashAttention) {
      const cast = [turned(k), turned(v)].map((tensor) => g.op('cpy', [tensor], 'F16', [headSize, n, nHead]));
      const masks = layerMask ? [g.op('cpy', [layerMask], 'F16', [n, n])] : [];
      attended = g.op('flash_attn', [turned(q), ...cast, ...masks], 'F32', [headSize, nHead, n]);
      attended = g.view(attended, 'F32', [nEmbd, n]);
    } else {
      const values = g.op('cont', [g.view(v, 'F32', [n, headSize, nHead], true)], 'F32', [n, headSize, nHead]);
      const scores = g.op('mul_mat', [turned(k), turned(q)], 'F32', [n, n, nHead]);
      const weights = g.op('soft_max', [scores, ...(layerMask ? [layerMask] : [])], 'F32', [n, n, nHead]);
      const mixed = g.op('mul_mat', [values, weights], 'F32', [headSize, n, nHead]);
      attended = g.op('cont', [g.view(mixed, 'F32', [headSize, nHead, n], true)], 'F32', [nEmbd, n]);
    }
    const between = g.op('add', [linear(attended, nEmbd, n), residual], 'F32', [nEmbd, n]);
    const betweenNormed = norm(between);
    const gated = g.op('glu', [linear(betweenNormed, nFf, n), linear(betweenNormed, nFf, n)], 'F32', [nFf, n]);
    residual = g.op('add', [between, linear(gated, nEmbd, n)], 'F32', [nEmbd, n]);
  }
  const merged = g.view(norm(residual), 'F32', [4 * nEmbd, n / 4]);
  const hidden = g.op('unary', [linear(merged, 4 * nEmbd, n / 4)], 'F32', [4 * nEmbd, n / 4]);
  let output = linear(hidden, projectionDim, n / 4);
  if (isWindowed) output = g.op('get_rows', [output, g.input('I32', [n / 4])], 'F32', [projectionDim, n / 4]);
  g.expand(output);
  return g.graph();
}
