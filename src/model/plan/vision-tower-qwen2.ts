import type { GraphTensor } from './graph.js';
import type { VisionModelShape } from './shape.js';
import type { VisionGraphBuilder } from './vision-graph-builder.js';

/** Qwen2.5-VL's: windows in most layers, RMS norms, gated feed-forward (tools/mtmd/models/qwen2vl.cpp). */
export function qwen2Tower(g: VisionGraphBuilder, shape: VisionModelShape): GraphTensor {
  const { nEmbd, nFf, nLayer, nHead, nWaPattern, projectionDim } = shape;
  const { n } = g;
  const headSize = nEmbd / nHead;
  const isWindowed = nWaPattern > 0;
  const norm = (source: GraphTensor): GraphTensor =>
    g.op('mul', [g.op('rms_norm', [source], 'F32', [nEmbd, n])], 'F32', [nEmbd, n]);

  let residual = g.mergedPatches();
  const positions = g.input('I32', [4 * n]);
  let mask: GraphTensor | undefined;
  if (isWindowed) {
    const order = g.input('I32', [n / 4]);
    mask = g.input('F32', [n, n]);
    if (g.flashAttention) mask = g.op('cpy', [mask], 'F16', [n, n]);
    const windows = g.op('get_rows', [g.view(residual, 'F32', [4 * nEmbd, n / 4]), order], 'F32', [4 * nEmbd, n / 4]);
    residual = g.view(windows, 'F32', [nEmbd, n]);
  }
  for (let layer = 0; layer < nLayer; layer++) {
    const isFull = !isWindowed || (layer + 1) % nWaPattern === 0;
    const normed = norm(residual);
    const heads = (): GraphTensor => g.view(g.linear(normed, nEmbd, n), 'F32', [headSize, nHead, n]);
    const rope = (source: GraphTensor): GraphTensor => g.op('rope', [source, positions], 'F32', [headSize, nHead, n]);
    const [qHeads, kHeads, v] = [heads(), heads(), heads()];
    const attended = g.attend(rope(qHeads), rope(kHeads), v, isFull ? undefined : mask);
    const between = g.op('add', [g.linear(attended, nEmbd, n), residual], 'F32', [nEmbd, n]);
    const betweenNormed = norm(between);
    const gated = g.op('glu', [g.linear(betweenNormed, nFf, n), g.linear(betweenNormed, nFf, n)], 'F32', [nFf, n]);
    residual = g.op('add', [between, g.linear(gated, nEmbd, n)], 'F32', [nEmbd, n]);
  }
  const output = g.mergeTokens(norm(residual), projectionDim);
  return isWindowed ? g.op('get_rows', [output, g.input('I32', [n / 4])], 'F32', [projectionDim, n / 4]) : output;
}
