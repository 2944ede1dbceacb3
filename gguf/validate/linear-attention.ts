import { linearWidthsOf, recurrentLayersOf, type LinearAttention } from '../families/shapes.js';
import type { GgufMetadata } from '../values.js';
import { optionalU32, requireU32 } from './metadata.js';
import { quote, type Check } from './problem.js';
import type { ExpectedTensor } from './tensors.js';

/** Those that CUDA's kernels are made for; any other aborts there (ssm-conv.cu, gated_delta_net.cu). */
const KERNEL_SIZES: readonly number[] = [3, 4, 5, 9, 15];
const HEAD_SIZES: readonly number[] = [16, 32, 64, 128];
const MAX_HEADS = 1024;
/** Where a file names no interval, qwen35.cpp takes this. */
const DEFAULT_INTERVAL = 4;

/** The keys of a gated delta net, which llama.cpp calls by the names of a state space model's. */
export function* checkLinearAttention(
  metadata: GgufMetadata,
  architecture: string,
  nLayer: number,
  nMtp: number,
): Check<LinearAttention | undefined> {
  const key = (name: string): string => `${architecture}.${name}`;
  const nConv = yield* requireOneOf(metadata, key('ssm.conv_kernel'), KERNEL_SIZES);
  const headSize = yield* requireOneOf(metadata, key('ssm.state_size'), HEAD_SIZES);
  const nKeyHeads = yield* requireU32(metadata, key('ssm.group_count'), { min: 1, max: MAX_HEADS });
  const nValueHeads = yield* requireU32(metadata, key('ssm.time_step_rank'), { min: 1, max: MAX_HEADS });
  if (!nConv || !headSize || !nKeyHeads || !nValueHeads) return undefined;
  if (nValueHeads % nKeyHeads !== 0) {
    const required = `must be a multiple of the ${nKeyHeads} heads of keys`;
    yield { where: key('ssm.time_step_rank'), found: String(nValueHeads), required };
    return undefined;
  }
  const nValue = nValueHeads * headSize;
  yield* requireU32(metadata, key('ssm.inner_size'), { min: nValue, max: nValue });
  const layers = yield* checkLayers(metadata, key, nLayer, nMtp);
  return layers && { nConv, headSize, nKeyHeads, nValueHeads, ...layers };
}

/** Which layers keep a running state: a list of them goes before an interval. */
function* checkLayers(
  metadata: GgufMetadata,
  key: (name: string) => string,
  nLayer: number,
  nMtp: number,
): Check<Pick<LinearAttention, 'fullInterval' | 'recurrentLayers'> | undefined> {
  // A layer of each kind, or llama.cpp's memory of the other is empty; by 0 it would divide.
  const interval = yield* optionalU32(metadata, key('full_attention_interval'), { min: 2, max: nLayer });
  const list = metadata.get(key('attention.recurrent_layers'));
  if (!list) {
    if (interval === undefined && metadata.has(key('full_attention_interval'))) return undefined;
    const fullInterval = interval ?? DEFAULT_INTERVAL;
    if (fullInterval <= nLayer) return { fullInterval };
    const required = `must be a uint32 from 2 to ${nLayer}: without it no layer attends to everything before`;
    yield { where: key('full_attention_interval'), found: 'missing', required };
    return undefined;
  }
  const where = key('attention.recurrent_layers');
  const required = `must be an array of ${nLayer + nMtp} bool, of the first ${nLayer} some true and some false`;
  if (list.type !== 'array' || list.itemType !== 'bool') {
    yield { where, found: list.type === 'array' ? `array of ${list.itemType}` : list.type, required };
    return undefined;
  }
  const flags = Array.from(list.value, Boolean);
  const recurrentLayers = flags.slice(0, nLayer);
  const isMixed = recurrentLayers.includes(true) && recurrentLayers.includes(false);
  if (flags.length !== nLayer + nMtp || !isMixed || flags.slice(nLayer).includes(true)) {
    yield { where, found: flags.length === nLayer + nMtp ? quote(flags) : `${flags.length} items`, required };
    return undefined;
  }
  const fullInterval = interval ?? DEFAULT_INTERVAL;
  const byInterval = recurrentLayersOf({ nLayer, linear: { fullInterval } });
  const isByInterval = recurrentLayers.every((flag, i) => flag === byInterval[i]);
  return { fullInterval, ...(!isByInterval && { recurrentLayers }) };
}

function* requireOneOf(metadata: GgufMetadata, key: string, allowed: readonly number[]): Check<number | undefined> {
  const value = yield* requireU32(metadata, key, { min: allowed[0]!, max: allowed.at(-1)! });
  if (value === undefined || allowed.includes(value)) return value;
  yield { where: key, found: String(value), required: `must be one of ${allowed.join(', ')}` };
  return undefined;
}

/** The tensors of a layer that keeps a running state, beside its norms and its feed-forward network. */
export function linearAttentionTensors(
  nEmbd: number,
  linear: LinearAttention,
): Readonly<Record<string, ExpectedTensor>> {
  const { nConv, nValueHeads, headSize } = linear;
  const { nValue, nQkv } = linearWidthsOf(linear);
  const matrix = (...shape: number[]): ExpectedTensor => ({ shape, kind: 'matrix', required: true });
  const single = (...shape: number[]): ExpectedTensor => ({ shape, kind: 'vector', required: true });
  return {
    // The loader takes a file without these two, and the graph crashes.
    'attn_qkv.weight': matrix(nEmbd, nQkv),
    'attn_gate.weight': matrix(nEmbd, nValue),
    'ssm_conv1d.weight': single(nConv, nQkv),
    'ssm_dt.bias': single(nValueHeads),
    ssm_a: single(nValueHeads),
    'ssm_beta.weight': matrix(nEmbd, nValueHeads),
    'ssm_alpha.weight': matrix(nEmbd, nValueHeads),
    'ssm_norm.weight': single(headSize),
    'ssm_out.weight': matrix(nValue, nEmbd),
  };
}
