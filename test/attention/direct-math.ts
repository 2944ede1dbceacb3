import { decodeTensor, findTensor, isDecodable, readGguf, readTensor, type GgufHeader } from '../../gguf/index.js';

// What a decoder layer is made of, in double precision and as simply as it can be said, to hold the runtime against.

export type Matrix = readonly (readonly number[])[];
export const EPS = 1e-6;

/** The weights by name, row by row in double precision. */
export async function readWeights(path: string): Promise<(name: string) => Promise<Matrix>> {
  const header: GgufHeader = await readGguf(path);
  return async (name) => {
    const tensor = findTensor(header, name);
    if (!isDecodable(tensor.type)) throw new Error(`${name} is ${tensor.type}`);
    const values = decodeTensor(tensor.type, await readTensor(header, tensor));
    const width = tensor.shape[0]!;
    return Array.from({ length: values.length / width }, (_, row) =>
      Array.from(values.subarray(row * width, (row + 1) * width)),
    );
  };
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);
export const times = (weights: Matrix, x: readonly number[]): number[] => weights.map((row) => dot(row, x));
export const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + b[i]!);
export function rmsNorm(x: readonly number[], weight: readonly number[]): number[] {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + EPS);
  return x.map((value, i) => value * scale * weight[i]!);
}
/** Of text, whose three M-RoPE positions are one: the first `nRot` numbers turn, pairs being half of these apart. */
export function rotate(
  head: readonly number[],
  position: number,
  freqBase: number,
  nRot: number = head.length,
): number[] {
  const half = nRot / 2;
  return head.map((value, i) => {
    if (i >= nRot) return value;
    const angle = position * freqBase ** (-(i % half) / half);
    return value * Math.cos(angle) + (i < half ? -head[i + half]! : head[i - half]!) * Math.sin(angle);
  });
}
export function softmax(logits: readonly number[]): number[] {
  const greatest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - greatest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
export const silu = (x: number): number => x / (1 + Math.exp(-x));
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** What a layer adds to the stream after its attention. */
export async function feedForward(
  weight: (name: string) => Promise<Matrix>,
  normName: string,
): Promise<(x: readonly number[]) => number[]> {
  const [norm] = await weight(`${normName}.weight`);
  const [gate, up, down] = [
    await weight('ffn_gate.weight'),
    await weight('ffn_up.weight'),
    await weight('ffn_down.weight'),
  ];
  return (x) => {
    const inner = rmsNorm(x, norm!);
    const opened = times(up, inner);
    return times(
      down,
      times(gate, inner).map((value, k) => silu(value) * opened[k]!),
    );
  };
}
