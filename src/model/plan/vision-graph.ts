import { FAMILIES } from '../../../gguf/index.js';
import type { Graph } from './graph.js';
import type { PairShape } from './shape.js';
import { qwen2Tower } from './vision-tower-qwen2.js';
import { qwen3Tower } from './vision-tower-qwen3.js';
import { VisionGraphBuilder, type VisionGraphSettings } from './vision-graph-builder.js';

/** What libmtmd reserves for one image: tools/mtmd/models/ and the parts of clip.cpp it uses. */
export function visionGraph({ family, vision }: PairShape, settings: VisionGraphSettings): Graph {
  const g = new VisionGraphBuilder(family, vision, settings);
  const tower = family.projector === FAMILIES.qwen2vl.projector ? qwen2Tower : qwen3Tower;
  g.expand(tower(g, vision));
  return g.graph();
}
