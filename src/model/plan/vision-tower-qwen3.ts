import type { GraphTensor } from './graph.js';
import type { VisionModelShape } from './shape.js';
import type { VisionGraphBuilder } from './vision-graph-builder.js';

/** Qwen3-VL's: learned positions, layer norms, and mergers of some layers beside the last (tools/mtmd/models/qwen3vl.cpp). */
export function qwen3Tower(g: VisionGraphBuilder, shape: VisionModelShape): GraphTensor {
  const { nEmbd, nFf, nLayer, nHead, projectionDim, deepstackLayers } = shape;
  const { n } = g;
  const headSize = nEmbd / nHead;
  const norm = (source: GraphTensor, size = nEmbd, rows = n): GraphTensor => {
    const scaled = g.op('mul', [g.op('norm', [source], 'F32', [size, rows])], 'F32', [size, rows]);
    return g.op('add', [scaled], 'F32', [size, rows]);
  };

  const patches = g.op('add', [g.mergedPatches()], 'F32', [nEmbd, n]);
  const grid = g.op('upscale', [], 'F32', [n, nEmbd]);
  const rows = g.op('cont', [g.view(grid, 'F32', [nEmbd, n], true)], 'F32', [nEmbd, n]);
  const again = g.op('cont', [rows], 'F32', [2 * nEmbd, n / 2]);
  let residual = g.op('add', [patches, g.fourTogether(again)], 'F32', [nEmbd, n]);
  const positions = g.input('I32', [4 * n]);
  let features: GraphTensor | undefined;
  let nFeatures = 0;
  for (let layer = 0; layer < nLayer; layer++) {
    const fused = g.linear(norm(residual), 3 * nEmbd, n);
    const heads = (): GraphTensor => g.view(fused, 'F32', [headSize, nHead, n], true);
    const rope = (source: GraphTensor): GraphTensor => g.op('rope', [source, positions], 'F32', [headSize, nHead, n]);
    const [qHeads, kHeads, v] = [heads(), heads(), heads()];
    const attended = g.attend(rope(qHeads), rope(kHeads), v);
    const between = g.op('add', [g.linear(attended, nEmbd, n), residual], 'F32', [nEmbd, n]);
    const hidden = g.op('unary', [g.linear(norm(between), nFf, n)], 'F32', [nFf, n]);
    residual = g.op('add', [between, g.linear(hidden, nEmbd, n)], 'F32', [nEmbd, n]);
    if (!deepstackLayers.includes(layer)) continue;
    const normed = norm(g.view(residual, 'F32', [4 * nEmbd, n / 4]), 4 * nEmbd, n / 4);
    const feature = g.mergeTokens(normed, projectionDim);
    nFeatures++;
    features = features ? g.op('concat', [features, feature], 'F32', [nFeatures * projectionDim, n / 4]) : feature;
  }
  const output = g.mergeTokens(norm(residual), projectionDim);
  return features ? g.op('concat', [output, features], 'F32', [(1 + nFeatures) * projectionDim, n / 4]) : output;
}
