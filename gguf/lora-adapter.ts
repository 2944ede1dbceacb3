import { decodeTensor } from './decode-tensor.js';
import { pairUpLora } from './lora-pairs.js';
import type { GgufHeader, GgufTensor, ReadOptions } from './reader.js';
import { readTensor } from './tensor-data.js';
import { requireValidLora } from './validate.js';
import type { GgufMetadata } from './values.js';

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
  readonly metadata: GgufMetadata;
  /** Names of the base tensors it changes. */
  readonly names: ReadonlySet<string>;
  /** Reads one pair; undefined for a tensor it leaves as it is. */
  read(base: GgufTensor, options?: ReadOptions): Promise<LowRank | undefined>;
}

/**
 * A GGUF adapter for the text model of one of the families.
 *
 * @param scale multiplies alpha / rank
 * @throws GgufError `UNSUPPORTED` for a file that is no such adapter, `INVALID` for one that does not fit the base
 */
export async function openLora(path: string, scale: number, base: GgufHeader): Promise<LoraAdapter> {
  const header = await requireValidLora(path, base);
  const alpha = Number(header.metadata.get('adapter.lora.alpha')?.value ?? 0);
  const { pairs } = pairUpLora(header.tensors);
  return {
    path,
    alpha,
    metadata: header.metadata,
    names: new Set(pairs.keys()),
    async read(tensor, options = {}) {
      const pair = pairs.get(tensor.name);
      if (!pair?.a || !pair.b) return undefined;
      const [a, b] = await Promise.all(
        [pair.a, pair.b].map(async (half) => decodeTensor(half.type, await readTensor(header, half, options))),
      );
      const rank = pair.a.shape[1] ?? 1;
      // llama_adapter_lora_weight::get_scale (llama-adapter.h)
      return { a: a!, b: b!, rank, scale: alpha === 0 ? scale : (scale * alpha) / rank };
    },
  };
}
