import { GgufError } from './errors.js';
import { openLora, type LoraAdapter, type LowRank } from './lora-adapter.js';
import { NUMBERS_KEY, numberPolicyOf } from './number-policy.js';
import { readGguf, type GgufHeader, type GgufTensor } from './reader.js';
import { readTensorChunks } from './tensor-data.js';
import { PLAIN_CODEC, type TensorCodec } from './tensor-codec.js';
import { tensorBytes, type GgmlType } from './types.js';
import { isMatrixType } from './validate/tensors.js';
import { str, strings } from './values.js';
import { writeGguf, type TensorToWrite, type WriteOptions } from './writer.js';

export interface LoraToMerge {
  readonly path: string;
  /** Multiplies alpha / rank. Default 1. */
  readonly scale?: number;
}

export interface LoraMergeOptions extends WriteOptions {
  /** Type of the changed tensors; default: what they are in the base. */
  readonly type?: GgmlType;
  /** Default `PLAIN_CODEC`. */
  readonly codec?: TensorCodec;
  /** After each tensor, with how many of all are done. */
  readonly onTensor?: (report: MergedTensor | undefined, nDone: number, nTensors: number) => void;
}

/** What merging did to one tensor. Means are of absolute values over all of it. */
export interface MergedTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** Of the change the adapters ask for. */
  readonly meanDelta: number;
  /** Of the change there is, after rounding to the type. */
  readonly meanChange: number;
  /**
   * Length of what rounding adds, over the length of the change asked for. From 1 on the adapter drowns: rounding moved
   * the tensor as far as it did.
   */
  readonly roundingShare: number;
}

/**
 * Writes a model with adapters merged into it: first to last, e.g. SFT and then the DPO trained on top of it. Tensors go
 * through one by one, a few MiB at a time.
 *
 * @throws GgufError `UNSUPPORTED`, `INVALID`, `IO`, `OUTPUT`; the signal's reason
 */
export async function mergeLoras(
  basePath: string,
  loras: readonly LoraToMerge[],
  outputPath: string,
  options: LoraMergeOptions = {},
): Promise<readonly MergedTensor[]> {
  if (options.type !== undefined && !isMatrixType(options.type))
    throw new GgufError('UNSUPPORTED', `${options.type} is no type a model's matrices can have`);
  const base = await readGguf(basePath);
  const adapters: LoraAdapter[] = [];
  for (const { path, scale = 1 } of loras) adapters.push(await openLora(path, scale, base));
  const reports: MergedTensor[] = [];
  let nDone = 0;
  const tensors = base.tensors.map((tensor): TensorToWrite => {
    const { name, shape } = tensor;
    const changes = adapters.some(({ names }) => names.has(name));
    const type = (changes ? options.type : undefined) ?? tensor.type;
    if (tensorBytes(type, shape) === undefined)
      throw new GgufError('UNSUPPORTED', `${name}: rows of ${shape[0] ?? 0} values cannot be ${type}`);
    async function* data(): AsyncGenerator<Uint8Array> {
      const report = changes
        ? yield* merged(base, tensor, type, adapters, options)
        : yield* copied(base, tensor, options);
      if (report) reports.push(report);
      options.onTensor?.(report, ++nDone, base.tensors.length);
    }
    return { name, type, shape, data };
  });
  const already = base.metadata.get('framewright.merged_adapters');
  const before = already?.type === 'array' && already.itemType === 'string' ? already.value : [];
  const names = loras.map(({ path, scale = 1 }) => `${path.split(/[\\/]/).at(-1) ?? path}:${scale}`);
  const numbers = adapters
    .map((adapter) => numberPolicyOf(adapter.metadata))
    .findLast((policy) => policy !== undefined);
  const metadata = new Map([
    ...base.metadata,
    ['framewright.merged_adapters', strings([...before, ...names])],
    ...(numbers ? [[NUMBERS_KEY, str(numbers)] as const] : []),
  ]);
  const signal = options.signal ? { signal: options.signal } : {};
  await writeGguf(outputPath, { metadata, tensors, alignment: base.alignment }, signal);
  return reports;
}

async function* copied(
  base: GgufHeader,
  tensor: GgufTensor,
  { signal }: LoraMergeOptions,
): AsyncGenerator<Uint8Array, undefined> {
  yield* readTensorChunks(base, tensor, signal ? { signal } : {});
  return undefined;
}

async function* merged(
  base: GgufHeader,
  tensor: GgufTensor,
  type: GgmlType,
  adapters: readonly LoraAdapter[],
  { codec = PLAIN_CODEC, signal }: LoraMergeOptions,
): AsyncGenerator<Uint8Array, MergedTensor> {
  const { name, shape } = tensor;
  const [nIn = 1, nOut = 1] = shape;
  const read = signal ? { signal } : {};
  const ranks: LowRank[] = [];
  for (const adapter of adapters) {
    const lowRank = await adapter.read(tensor, read);
    if (lowRank) ranks.push(lowRank);
  }
  const sums: Sums = { delta: 0, change: 0, deltaSquares: 0, errorSquares: 0 };
  let row = 0;
  for await (const bytes of readTensorChunks(base, tensor, { ...read, unitBytes: tensor.nBytes / nOut })) {
    const before = codec.decode(tensor.type, bytes);
    const delta = new Float32Array(before.length);
    for (let at = 0; at < before.length; at += nIn, row++) addLowRanks(delta.subarray(at, at + nIn), ranks, row);
    const after = new Float32Array(before.length);
    for (let i = 0; i < before.length; i++) after[i] = before[i]! + delta[i]!;
    const encoded = codec.encode(type, after, nIn);
    addUp(sums, before, delta, codec.decode(type, encoded));
    yield encoded;
  }
  const n = nIn * nOut;
  const roundingShare = sums.deltaSquares === 0 ? 0 : Math.sqrt(sums.errorSquares / sums.deltaSquares);
  return { name, type, meanDelta: sums.delta / n, meanChange: sums.change / n, roundingShare };
}

interface Sums {
  delta: number;
  change: number;
  deltaSquares: number;
  errorSquares: number;
}

function addUp(sums: Sums, before: Float32Array, delta: Float32Array, after: Float32Array): void {
  for (let i = 0; i < before.length; i++) {
    const wanted = delta[i]!;
    const got = after[i]! - before[i]!;
    sums.delta += Math.abs(wanted);
    sums.change += Math.abs(got);
    sums.deltaSquares += wanted * wanted;
    sums.errorSquares += (got - wanted) * (got - wanted);
  }
}

function addLowRanks(delta: Float32Array, ranks: readonly LowRank[], row: number): void {
  for (const { a, b, rank, scale } of ranks) {
    for (let k = 0; k < rank; k++) {
      const factor = scale * b[row * rank + k]!;
      if (factor === 0) continue;
      const from = k * delta.length;
      for (let i = 0; i < delta.length; i++) delta[i]! += factor * a[from + i]!;
    }
  }
}

/** Whether rounding moves a tensor at least as far as the adapters do. */
export function isSwallowed({ roundingShare }: MergedTensor): boolean {
  return roundingShare >= 1;
}
