import { decodeTensor } from './decode-tensor.js';
import { GgufError } from './errors.js';
import { readGguf, type GgufHeader, type GgufTensor, type ReadOptions } from './reader.js';
import { readTensor } from './tensor-data.js';

/** One matrix's low-rank change: `scale * b * a` is added to it. */
export interface LowRank {
  /** Row major `[rank][nIn]`. */
  readonly a: Float32Array;
  /** Row major `[nOut][rank]`. */
  readonly b: Float32Array;
  readonly rank: number;
  readonly scale: number;
}

export interface LoraAdapter {
  readonly path: string;
  readonly alpha: number;
  /** Names of the base tensors it changes. */
  readonly names: ReadonlySet<string>;
  /** Reads one pair; undefined for a tensor it leaves as it is. */
  read(base: GgufTensor, options?: ReadOptions): Promise<LowRank | undefined>;
}

/**
 * A GGUF adapter for a Qwen2.5-VL.
 *
 * @param scale multiplies alpha / rank
 * @throws GgufError `UNSUPPORTED` for a file that is no such adapter, `INVALID` for one that does not fit the base
 */
export async function openLora(path: string, scale: number, base: GgufHeader): Promise<LoraAdapter> {
  const header = await readGguf(path);
  const get = (key: string): unknown => header.metadata.get(key)?.value;
  if (get('general.type') !== 'adapter' || get('adapter.type') !== 'lora')
    throw new GgufError('UNSUPPORTED', `${path} is no LoRA adapter; a PEFT one is converted by "gguf lora-convert"`);
  if (get('general.architecture') !== 'qwen2vl')
    throw new GgufError(
      'UNSUPPORTED',
      `${path} is an adapter for ${String(get('general.architecture'))}, not for qwen2vl`,
    );
  const alpha = Number(get('adapter.lora.alpha') ?? 0);
  const pairs = pairUp(header);
  for (const [name, pair] of pairs) requireFit(path, name, pair, base);
  return {
    path,
    alpha,
    names: new Set(pairs.keys()),
    async read(tensor, options = {}) {
      const pair = pairs.get(tensor.name);
      if (!pair) return undefined;
      const [a, b] = await Promise.all(
        [pair.a, pair.b].map(async (half) => decodeTensor(half.type, await readTensor(header, half, options))),
      );
      const rank = pair.a.shape[1] ?? 1;
      // llama_adapter_lora_weight::get_scale (llama-adapter.h)
      return { a: a!, b: b!, rank, scale: alpha === 0 ? scale : (scale * alpha) / rank };
    },
  };
}

interface TensorPair {
  readonly a: GgufTensor;
  readonly b: GgufTensor;
}

function pairUp({ path, tensors }: GgufHeader): Map<string, TensorPair> {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const pairs = new Map<string, TensorPair>();
  for (const tensor of tensors) {
    const [, base, half] = /^(.+)\.lora_([ab])$/.exec(tensor.name) ?? [];
    if (base === undefined)
      throw new GgufError('UNSUPPORTED', `${path}: tensor ${tensor.name} is no half of a low-rank pair`);
    const other = byName.get(`${base}.lora_${half === 'a' ? 'b' : 'a'}`);
    if (!other) throw new GgufError('INVALID', `${path}: ${tensor.name} has no other half`);
    if (half === 'a') pairs.set(base, { a: tensor, b: other });
  }
  return pairs;
}

function requireFit(path: string, name: string, { a, b }: TensorPair, base: GgufHeader): void {
  const tensor = base.tensors.find((candidate) => candidate.name === name);
  if (!tensor) throw new GgufError('INVALID', `${path} changes ${name}, which ${base.path} does not have`);
  const [nIn = 1, nOut = 1] = tensor.shape;
  const [aIn = 1, rank = 1] = a.shape;
  const [bRank = 1, bOut = 1] = b.shape;
  if (aIn === nIn && bOut === nOut && rank === bRank) return;
  throw new GgufError(
    'INVALID',
    `${path}: ${name} is ${nIn} x ${nOut} in ${base.path}, and the adapter's halves are ${aIn} x ${rank} and ${bRank} x ${bOut}`,
  );
}
