import { GGML_TYPES, recurrentLayersOf } from '../../../gguf/index.js';
import { computeBytes } from './allocate.js';
import type { Place } from './graph.js';
import { stateValues } from './linear-attention-graph.js';
import type { PairShape, WeightTensor } from './shape.js';
import { textGraph, type KvType } from './text-graph.js';
import { visionGraph } from './vision-graph.js';

/** Everything about a run that its memory depends on. */
export interface RunSettings {
  /** Cells of KV cache. */
  readonly nCtx: number;
  readonly nSeqMax: number;
  /** Tokens of a batch. */
  readonly nBatch: number;
  readonly kvType: KvType;
  /** Of the text model. */
  readonly flashAttention: boolean;
  /** Of the vision tower. */
  readonly visionFlashAttention: boolean;
  /** Layers on the GPU, the output matrix counted as one: 0 to nLayer + 1. */
  readonly gpuLayers: number;
  readonly projectorOnGpu: boolean;
  /** Merged tokens of the largest image. */
  readonly imageTokens: number;
}

/** Bytes of each kind. */
export interface MemoryParts {
  readonly weights: number;
  /** And the running states of a recurrent model's sequences. */
  readonly kvCache: number;
  /** Weights of the vision tower and projector. */
  readonly vision: number;
  /** Work space of the text model. */
  readonly compute: number;
  /** Work space of the vision tower, while and after it encodes the largest image. */
  readonly visionCompute: number;
  /** Rows of logits handed out, and states of a recurrent model kept to go back to; in host memory. */
  readonly outputs: number;
}

export type Prediction = Readonly<Record<Place, MemoryParts>>;

/** llama.cpp pads the cache to this (llama-context.cpp). */
const CELL_PADDING = 256;
/** As native/src/context/context.h limits the rows of logits a decode may ask for. */
export const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/**
 * What llama.cpp and libmtmd will allocate.
 *
 * @param hostFormats `RuntimeInfo.hostFormats`: how the CPU backend repacks weights
 * @param visionWork work space of the vision tower by its settings; filled here, and kept by who predicts many times
 */
export function predictMemory(
  shape: PairShape,
  settings: RunSettings,
  hostFormats: readonly string[] = [],
  visionWork = new Map<string, Record<Place, number>>(),
): Prediction {
  const { nCtx, nSeqMax, nBatch, gpuLayers, projectorOnGpu, imageTokens } = settings;
  const { nLayer, nVocab } = shape.text;
  const nCells = Math.ceil(nCtx / CELL_PADDING) * CELL_PADDING;
  const nTokens = Math.ceil(nBatch / nSeqMax) * nSeqMax;
  const mostRows = Math.max(Math.floor(MAX_OUTPUT_BYTES / (4 * nVocab)), nSeqMax);
  const nOutputs = Math.min(mostRows, Math.max(nBatch, nSeqMax));
  const text = computeBytes(
    textGraph(shape, { ...settings, nCtx: nCells, nTokens, nSeqs: nSeqMax, nOutputs: Math.min(nTokens, nOutputs) }),
  );
  const visionSettings = {
    nImageTokens: imageTokens,
    flashAttention: settings.visionFlashAttention,
    place: projectorOnGpu ? 'gpu' : 'host',
  } as const;
  const visionKey = JSON.stringify(visionSettings);
  const vision = visionWork.get(visionKey) ?? computeBytes(visionGraph(shape, visionSettings));
  visionWork.set(visionKey, vision);
  const weights = placeWeights(shape, gpuLayers, hostFormats);
  const caches = layerCaches(shape, { kvType: settings.kvType, nCells, nSeqMax });
  const nGpuCaches = Math.max(0, Math.min(nLayer, gpuLayers - 1));
  // Layers left on the CPU have their weights copied over for large batches, one matrix after the other.
  const borrowed = gpuLayers > 0 && gpuLayers <= nLayer ? largestMatrix(shape, nLayer + 1 - gpuLayers) : 0;
  return {
    host: {
      weights: weights.host,
      kvCache: sumOf(caches.slice(0, nLayer - nGpuCaches)),
      vision: projectorOnGpu ? 0 : shape.visionBytes,
      compute: text.host,
      visionCompute: vision.host,
      outputs: 4 * nVocab * nOutputs + keptStateBytes(shape, nSeqMax),
    },
    gpu: {
      weights: weights.gpu,
      kvCache: sumOf(caches.slice(nLayer - nGpuCaches)),
      vision: projectorOnGpu ? shape.visionBytes : 0,
      compute: text.gpu + borrowed,
      visionCompute: vision.gpu,
      outputs: 0,
    },
  };
}

export function totalBytes(parts: MemoryParts): number {
  return parts.weights + parts.kvCache + parts.vision + parts.compute + parts.visionCompute + parts.outputs;
}

/** Bytes of a cache of this many cells, without a recurrent model's states. */
export function kvCacheBytes(shape: PairShape, kvType: KvType, nCtx: number): number {
  const nCells = Math.ceil(nCtx / CELL_PADDING) * CELL_PADDING;
  return sumOf(layerCaches(shape, { kvType, nCells, nSeqMax: 0 }));
}

/** Bytes of each layer's cache: cells of keys and values, or a running state for each sequence. */
function layerCaches(
  shape: PairShape,
  { kvType, nCells, nSeqMax }: { readonly kvType: KvType; readonly nCells: number; readonly nSeqMax: number },
): number[] {
  const cells = 2 * kvRowBytes(shape, kvType) * nCells;
  return recurrentLayersOf(shape.text).map((isRecurrent) => (isRecurrent ? nSeqMax * stateBytes(shape) : cells));
}

/** Of one sequence in one layer that keeps a running state. */
function stateBytes({ text: { linear } }: PairShape): number {
  return linear ? 4 * stateValues(linear) : 0;
}

/** The states kept behind images (native/src/context/recurrent.h): two for each photo, whose share of sequences is 16. */
function keptStateBytes(shape: PairShape, nSeqMax: number): number {
  const nRecurrent = recurrentLayersOf(shape.text).filter(Boolean).length;
  return Math.ceil(nSeqMax / 8) * nRecurrent * stateBytes(shape);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** Keys, or values, of one cell of one layer. */
function kvRowBytes({ text }: PairShape, kvType: KvType): number {
  const { blockSize, bytesPerBlock } = GGML_TYPES[kvType.toUpperCase() as Uppercase<KvType>];
  return Math.ceil((text.headSize * text.nHeadKv) / blockSize) * bytesPerBlock;
}

function placeWeights(
  shape: PairShape,
  gpuLayers: number,
  hostFormats: readonly string[],
): { host: number; gpu: number } {
  const { embedding, output, outputRest, layers } = shape;
  const firstOnGpu = layers.length + 1 - gpuLayers;
  const amx = gpuLayers === 0 && hostFormats.includes('AMX');
  const onHost = (tensor: WeightTensor): number => (amx ? (amxBytes(tensor) ?? tensor.nBytes) : tensor.nBytes);
  const sum = (tensors: readonly WeightTensor[], bytes = (t: WeightTensor): number => t.nBytes): number =>
    tensors.reduce((total, tensor) => total + bytes(tensor), 0);

  let host = embedding.nBytes; // looked up row by row, always by the CPU
  let gpu = 0;
  layers.forEach((tensors, i) => {
    if (i >= firstOnGpu) gpu += sum(tensors);
    else host += sum(tensors, onHost);
  });
  // Where the embedding is the output matrix too, a place other than its own needs a second copy.
  if (gpuLayers > 0) gpu += (output ?? embedding).nBytes + sum(outputRest);
  else {
    host += sum(outputRest);
    if (output) host += onHost(output);
    else if (amx) host += amxBytes(embedding) ?? 0;
  }
  return { host, gpu };
}

function largestMatrix({ layers }: PairShape, nOnHost: number): number {
  return Math.max(0, ...layers.slice(0, nOnHost).flatMap((tensors) => tensors.map(({ nBytes }) => nBytes)));
}

/** Bytes a block grows by in AMX's own layout (ggml-cpu/amx/mmq.cpp, get_row_size), by type; others stay as they are. */
const AMX_EXTRA_BYTES: Partial<Record<WeightTensor['type'], number>> = {
  Q4_0: 0,
  Q4_1: 0,
  Q8_0: 4,
  Q4_K: 4,
  Q5_K: 4,
  Q6_K: 0,
  IQ4_XS: 2,
  F16: 0,
};
const AMX_ROW_MULTIPLE = 32;

/** Bytes of a matrix repacked for AMX; undefined for what stays in its file's form. */
function amxBytes({ name, type, nIn, nOut, nBytes, isStack }: WeightTensor): number | undefined {
  const extra = AMX_EXTRA_BYTES[type];
  const { blockSize } = GGML_TYPES[type];
  if (extra === undefined || !name.endsWith('.weight') || nOut < 2 || isStack) return undefined;
  if (nOut % AMX_ROW_MULTIPLE !== 0 || nIn % Math.max(16, blockSize) !== 0) return undefined;
  return nBytes + extra * (nIn / blockSize) * nOut;
}
