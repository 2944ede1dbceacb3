import { cellPxOf, GGML_TYPES } from '../../../gguf/index.js';
import type { ModelUse } from '../manifest.js';
import type { Place } from './graph.js';
import { predictMemory, totalBytes, type Prediction, type RunSettings } from './predict.js';
import type { PairShape } from './shape.js';
import type { KvType } from './text-graph.js';

/** Memory to plan for. */
export interface MemoryLimits {
  /** Free on the GPU, in bytes; undefined to run on the CPU alone. */
  readonly gpuBytes: number | undefined;
  readonly hostBytes: number;
}

/** What the caller settled already; the plan finds the rest. */
export interface PlanWishes {
  readonly use: ModelUse;
  /** Photos at once. */
  readonly parallel: number;
  readonly nSeqMax: number;
  readonly kvType?: KvType;
  readonly flashAttention?: boolean;
  readonly gpuLayers?: number;
  readonly projectorOnGpu?: boolean;
  readonly hostFormats: readonly string[];
}

export interface MemoryPlan {
  readonly settings: RunSettings;
  readonly prediction: Prediction;
  readonly fits: boolean;
  /** What is given up against plenty of memory, one line each. */
  readonly givenUp: readonly string[];
}

const LARGE_BATCH = 2048;
const SMALL_BATCH = 512;
/** Fewer than a model is made for are better than none, down to where a small subject is a token or two. */
const LEAST_IMAGE_TOKENS = 256;
/** Below this llama.cpp warns that Qwen-VL models place boxes badly. */
const GROUNDING_IMAGE_TOKENS = 1024;
/** The least a conversation of three stages about one photo was seen to need with short prompts. */
const LEAST_CONTEXT = 2048;
/** Left free on a GPU: drivers and libraries take work space that no one announces. */
const GPU_RESERVE = { bytes: 256 * 2 ** 20, share: 0.04 };
/** Left free in host memory: Node, the photos being worked on, and whoever else runs. */
const HOST_RESERVE_BYTES = 256 * 2 ** 20;

/** Bytes of a limit that may be planned with. */
export function usableBytes(limits: MemoryLimits): Record<Place, number> {
  const { gpuBytes = 0, hostBytes } = limits;
  return {
    gpu: Math.max(0, gpuBytes - Math.max(GPU_RESERVE.bytes, gpuBytes * GPU_RESERVE.share)),
    host: Math.max(0, hostBytes - HOST_RESERVE_BYTES),
  };
}

/**
 * The settings that fit, what costs least given up first: the size of a batch, the precision of the cache, layers on the
 * GPU, the vision tower on the GPU, and only then length of the conversation and size of the picture. Without any that
 * fit, the thriftiest.
 */
export function planMemory(shape: PairShape, wishes: PlanWishes, limits: MemoryLimits): MemoryPlan {
  const usable = usableBytes(limits);
  const ideal = settingsOf(shape, wishes, limits.gpuBytes !== undefined);
  const visionWork = new Map<string, Record<Place, number>>();
  const attempt = (settings: RunSettings): MemoryPlan => {
    const prediction = predictMemory(shape, settings, wishes.hostFormats, visionWork);
    const fits = totalBytes(prediction.gpu) <= usable.gpu && totalBytes(prediction.host) <= usable.host;
    return { settings, prediction, fits, givenUp: givenUpOf(shape, ideal, settings) };
  };
  let last = attempt(ideal);
  if (last.fits) return last;
  for (const frugal of thriftier(shape, ideal, wishes)) {
    for (const settings of placements(shape, frugal, wishes, attempt)) {
      last = attempt(settings);
      if (last.fits) return last;
    }
  }
  return last;
}

function settingsOf(shape: PairShape, wishes: PlanWishes, onGpu: boolean): RunSettings {
  const { use, parallel, nSeqMax, kvType = 'f16' } = wishes;
  const nCtx = use.contextCells * parallel;
  const imageTokens = Math.ceil(use.pixelBudget.max / cellPxOf(shape.family) ** 2);
  const gpuLayers = wishes.gpuLayers ?? -1;
  const allLayers = shape.text.nLayer + 1;
  return {
    nCtx,
    nSeqMax,
    nBatch: Math.min(nCtx, LARGE_BATCH),
    kvType,
    flashAttention: wishes.flashAttention ?? (onGpu || kvType === 'q8_0'),
    visionFlashAttention: wishes.flashAttention ?? true,
    gpuLayers: onGpu ? (gpuLayers < 0 ? allLayers : Math.min(gpuLayers, allLayers)) : 0,
    projectorOnGpu: onGpu && (wishes.projectorOnGpu ?? true),
    imageTokens,
  };
}

/** Whether the cache's precision is left to the plan, and llama.cpp takes a lower one: it quantises head by head. */
function mayQuantise({ text }: PairShape, { kvType, flashAttention }: PlanWishes): boolean {
  return kvType === undefined && flashAttention !== false && text.headSize % GGML_TYPES.Q8_0.blockSize === 0;
}

/** Ever smaller needs, without a word on what runs where. */
function* thriftier(shape: PairShape, ideal: RunSettings, wishes: PlanWishes): Generator<RunSettings> {
  const { use, parallel } = wishes;
  const nBatch = Math.min(ideal.nBatch, Math.max(SMALL_BATCH, ideal.imageTokens));
  const smallBatch = { ...ideal, nBatch };
  yield ideal;
  yield smallBatch;
  const small = mayQuantise(shape, wishes)
    ? ({ ...smallBatch, kvType: 'q8_0', flashAttention: true } as const)
    : smallBatch;
  if (small !== smallBatch) yield small;
  const leastTokens = Math.max(
    1,
    Math.min(LEAST_IMAGE_TOKENS, Math.floor(use.pixelBudget.min / cellPxOf(shape.family) ** 2)),
  );
  for (const share of [0.8, 0.55, 0.3]) {
    const imageTokens = Math.max(leastTokens, Math.floor(ideal.imageTokens * share));
    const nCtx = Math.max(Math.min(ideal.nCtx, LEAST_CONTEXT * parallel), Math.floor(ideal.nCtx * share));
    yield { ...small, imageTokens, nCtx, nBatch: Math.min(nCtx, Math.max(SMALL_BATCH, imageTokens)) };
  }
}

/** Where things run: everything on the GPU, then fewer layers, then the vision tower on the CPU, then nothing on the GPU. */
function* placements(
  shape: PairShape,
  settings: RunSettings,
  wishes: PlanWishes,
  attempt: (settings: RunSettings) => MemoryPlan,
): Generator<RunSettings> {
  yield settings;
  const isLastResort = settings.kvType === 'q8_0' || !mayQuantise(shape, wishes);
  if (settings.gpuLayers === 0 && !settings.projectorOnGpu) return;
  if (!isLastResort) return; // a smaller cache costs less than a layer on the CPU
  const projectors = wishes.projectorOnGpu === undefined ? [true, false] : [settings.projectorOnGpu];
  if (wishes.gpuLayers === undefined) {
    const { nLayer } = shape.text;
    // A picture on the CPU costs more than a few layers there, and less than most of them.
    const half = Math.ceil(nLayer / 2);
    const searches =
      projectors.length > 1
        ? ([
            [true, half, nLayer],
            [false, 1, nLayer + 1],
            [true, 1, half - 1],
          ] as const)
        : ([[settings.projectorOnGpu, 1, nLayer]] as const);
    for (const [projectorOnGpu, least, most] of searches) {
      const gpuLayers = mostThatFit(least, most, (n) => attempt({ ...settings, projectorOnGpu, gpuLayers: n }).fits);
      if (gpuLayers !== undefined) yield { ...settings, projectorOnGpu, gpuLayers };
    }
  }
  for (const projectorOnGpu of projectors) {
    const rest = { ...settings, projectorOnGpu, gpuLayers: wishes.gpuLayers ?? 0 };
    // On the CPU alone flash attention, and with it a quantised cache, is the slower way.
    const flashAttention = wishes.flashAttention ?? false;
    if (rest.gpuLayers === 0 && wishes.kvType === undefined) yield { ...rest, kvType: 'f16', flashAttention };
    yield rest;
  }
}

/**
 * The greatest whole number from `least` to `most` that fits. Each is tried: what leaves the GPU comes to the host, so
 * less may not fit where more does.
 */
function mostThatFit(least: number, most: number, fits: (n: number) => boolean): number | undefined {
  for (let n = most; n >= least; n--) if (fits(n)) return n;
  return undefined;
}

function lossOf(got: RunSettings, ideal: RunSettings): string {
  const isTooFew = got.imageTokens < GROUNDING_IMAGE_TOKENS && ideal.imageTokens >= GROUNDING_IMAGE_TOKENS;
  return isTooFew ? `below ${GROUNDING_IMAGE_TOKENS}, boxes are placed worse` : 'fewer details are seen';
}

function givenUpOf(shape: PairShape, ideal: RunSettings, got: RunSettings): string[] {
  const lines: string[] = [];
  if (got.nBatch < ideal.nBatch)
    lines.push(`batches of ${got.nBatch} tokens, not ${ideal.nBatch}: prompts take a little longer`);
  if (got.kvType !== ideal.kvType)
    lines.push(`a KV cache of ${got.kvType}, not ${ideal.kvType}: slightly less exact, slower on a CPU`);
  const onCpu = ideal.gpuLayers - got.gpuLayers;
  if (onCpu > 0) lines.push(`${onCpu} of ${shape.text.nLayer + 1} layers on the CPU: answers take longer`);
  if (ideal.projectorOnGpu && !got.projectorOnGpu) lines.push('the vision tower on the CPU: each picture takes longer');
  if (got.imageTokens < ideal.imageTokens)
    lines.push(`pictures of at most ${got.imageTokens} tokens, not ${ideal.imageTokens}: ${lossOf(got, ideal)}`);
  if (got.nCtx < ideal.nCtx) lines.push(`${got.nCtx} cells of context, not ${ideal.nCtx}: fewer candidates and votes`);
  return lines;
}
