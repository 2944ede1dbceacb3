import type { GgufTensor } from './reader.js';

export type LoraHalf = 'a' | 'b';

export interface LoraTensors {
  /** Halves by the name of the base tensor they change. */
  readonly pairs: ReadonlyMap<string, Readonly<Partial<Record<LoraHalf, GgufTensor>>>>;
  /** What is no half of a pair. */
  readonly others: readonly GgufTensor[];
}

/** Tensors of a GGUF adapter, `<base>.lora_a` and `<base>.lora_b`, by their base. */
export function pairUpLora(tensors: readonly GgufTensor[]): LoraTensors {
  const pairs = new Map<string, Partial<Record<LoraHalf, GgufTensor>>>();
  const others: GgufTensor[] = [];
  for (const tensor of tensors) {
    const [, base, half] = /^(.+)\.lora_([ab])$/.exec(tensor.name) ?? [];
    if (base === undefined) others.push(tensor);
    else pairs.set(base, { ...pairs.get(base), [half as LoraHalf]: tensor });
  }
  return { pairs, others };
}
