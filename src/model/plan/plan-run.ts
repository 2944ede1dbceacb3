import { defined } from '../../base/defined.js';
import { cellPxOf, type ModelFamily } from '../../../gguf/index.js';
import { MAX_SEQUENCES } from '../../runtime/native-constants.js';
import type { RuntimeInfo } from '../../runtime/types.js';
import type { ModelUse } from '../manifest.js';
import { planMemory, type MemoryLimits, type MemoryPlan } from './fit.js';
import { freeMemory } from './limits.js';
import type { PairShape } from './shape.js';
import type { KvType } from './text-graph.js';

/** What a caller may have settled before the plan. */
export interface PlanOptions {
  readonly parallel?: number;
  readonly kvType?: KvType;
  readonly flashAttention?: boolean;
  readonly gpuLayers?: number;
  readonly projectorOnGpu?: boolean;
  /** Files of adapters, which go where the layers are. Default 0. */
  readonly adapterBytes?: number;
  /** Plan as if this much GPU memory were free, in bytes. */
  readonly vramBytes?: number;
  /** Take `vramBytes` for a GPU's where there is none. */
  readonly hypothetical?: boolean;
  /** Plan as if this much host memory were free, in bytes. */
  readonly memoryBytes?: number;
}

/** Sequences a context offers for each photo at once: forks for aspects and votes, and boxes ranked at once. */
const SEQUENCES = 64;
/** Of a recurrent model, whose every sequence keeps a state of tens of megabytes: fewer forks at once, in more calls. */
const RECURRENT_SEQUENCES = 16;

/** Photos at once: each has two sequences then. */
export const MAX_PARALLEL = MAX_SEQUENCES / 2;

export function sequencesFor(parallel: number, { isRecurrent }: ModelFamily): number {
  return Math.min(MAX_SEQUENCES, (isRecurrent ? RECURRENT_SEQUENCES : SEQUENCES) * parallel);
}

/** A photo's share of these; one of them is left free by its forks, to score boxes and numbers with. */
export function sequencesOfEach(parallel: number, family: ModelFamily): number {
  return Math.floor(sequencesFor(parallel, family) / parallel);
}

/** The plan for a model on the backend in use, with the memory free now or the limits given. */
export function planRun(
  info: RuntimeInfo,
  shape: PairShape,
  use: ModelUse,
  options: PlanOptions,
): { plan: MemoryPlan; limits: MemoryLimits } {
  const { parallel = 1, vramBytes, memoryBytes, hypothetical = false, adapterBytes = 0, ...settled } = options;
  const free = freeMemory(info);
  const gpuBytes = free.gpuBytes === undefined && !hypothetical ? undefined : (vramBytes ?? free.gpuBytes);
  const hostBytes = memoryBytes ?? free.hostBytes;
  const limits =
    gpuBytes === undefined
      ? { gpuBytes, hostBytes: Math.max(0, hostBytes - adapterBytes) }
      : { gpuBytes: Math.max(0, gpuBytes - adapterBytes), hostBytes };
  const onCpu = limits.gpuBytes === undefined;
  // ggml's flash attention takes three times as long as the plain one on a CPU, but a quantised cache cannot do without.
  const flashAttention = settled.flashAttention ?? (onCpu && settled.kvType !== 'q8_0' ? undefined : true);
  const plan = planMemory(
    shape,
    {
      use,
      parallel,
      nSeqMax: sequencesFor(parallel, shape.family),
      hostFormats: info.hostFormats,
      ...defined({
        kvType: settled.kvType,
        flashAttention,
        gpuLayers: settled.gpuLayers,
        projectorOnGpu: settled.projectorOnGpu,
      }),
    },
    limits,
  );
  return { plan, limits };
}

/** The model's use with the picture and the conversation the plan has room for. */
export function plannedUse(use: ModelUse, family: ModelFamily, { settings }: MemoryPlan, parallel: number): ModelUse {
  const most = Math.min(use.pixelBudget.max, settings.imageTokens * cellPxOf(family) ** 2);
  return {
    ...use,
    pixelBudget: { min: Math.min(use.pixelBudget.min, most), max: most },
    contextCells: Math.floor(settings.nCtx / parallel),
  };
}
