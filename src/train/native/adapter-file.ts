import {
  encodeTensor,
  f32,
  GgufError,
  NUMBERS_KEY,
  numberPolicyOf,
  openLora,
  readGguf,
  str,
  writeGguf,
  type GgufMetadata,
  type LowRank,
  type NumberPolicy,
  type TensorToWrite,
} from '../../../gguf/index.js';
import { FramewrightError } from '../../base/errors.js';
import { seededRandom } from '../../base/random.js';
import { LORA_TARGETS, type LoraPairShape, type LoraTarget } from '../../runtime/trainer.js';

/** An adapter as its trainer holds it: see `TrainerState.parameters`. */
export interface Adapter {
  readonly pairs: readonly LoraPairShape[];
  readonly rank: number;
  readonly alpha: number;
  readonly parameters: Float32Array;
}

/** What an adapter's file says beside its numbers. */
export interface AdapterNotes {
  /** Of its training, under `framewright.training.` */
  readonly facts: Readonly<Record<string, string | number>>;
  /** How the numbers of answers are chosen with it. */
  readonly numbers?: NumberPolicy;
}

/**
 * Writes a GGUF adapter that the runtime loads (`--lora`).
 *
 * @throws FramewrightError OUTPUT_WRITE; the signal's reason
 */
export async function writeAdapter(
  file: string,
  { pairs, rank, alpha, parameters }: Adapter,
  { facts, numbers }: AdapterNotes,
  signal?: AbortSignal,
): Promise<void> {
  const tensors: TensorToWrite[] = [];
  let at = 0;
  for (const { name, nIn, nOut } of pairs) {
    const a = parameters.subarray(at, (at += rank * nIn));
    const bt = parameters.subarray(at, (at += rank * nOut));
    tensors.push({ name: `${name}.lora_a`, type: 'F32', shape: [nIn, rank], data: encodeTensor('F32', a) });
    const b = transposed(bt, rank, nOut);
    tensors.push({ name: `${name}.lora_b`, type: 'F32', shape: [rank, nOut], data: encodeTensor('F32', b) });
  }
  const metadata: GgufMetadata = new Map([
    ['general.architecture', str('qwen2vl')],
    ['general.type', str('adapter')],
    ['adapter.type', str('lora')],
    ['adapter.lora.alpha', f32(alpha)],
    ...(numbers ? [[NUMBERS_KEY, str(numbers)] as const] : []),
    ...Object.entries(facts).map(
      ([key, value]) => [`framewright.training.${key}`, typeof value === 'number' ? f32(value) : str(value)] as const,
    ),
  ]);
  try {
    await writeGguf(file, { metadata, tensors }, signal ? { signal } : {});
  } catch (error) {
    if (error instanceof GgufError) throw new FramewrightError('OUTPUT_WRITE', error.message, { cause: error });
    throw error;
  }
}

/** `rows` x `columns`, row major, to `columns` x `rows`. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!;
  return turned;
}

/** What an adapter's file says before its trainer is there. */
export interface StoredAdapter {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  /** How the numbers of answers are chosen with it; undefined where it does not say. */
  readonly numbers: NumberPolicy | undefined;
  /** The parameters in a trainer's order. Matrices the file leaves alone begin anew. */
  read(pairs: readonly LoraPairShape[], seed: number): Promise<Float32Array>;
}

/**
 * Opens an adapter to go on from.
 *
 * @throws FramewrightError MODEL_INVALID or MODEL_UNSUPPORTED for one that is not for the model, or cannot be trained on
 */
export async function openAdapter(file: string, textPath: string): Promise<StoredAdapter> {
  const base = await readGguf(textPath);
  const lora = await openLora(file, 1, base).catch((error: unknown) => {
    if (!(error instanceof GgufError)) throw error;
    const code = error.code === 'UNSUPPORTED' ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID';
    throw new FramewrightError(code, `cannot go on from the adapter ${file}: ${error.message}`, { cause: error });
  });
  const pairs = new Map<string, LowRank>();
  for (const name of lora.names) {
    if (!/^blk\.\d+\./.test(name) || !LORA_TARGETS.includes(name.split('.')[2] as LoraTarget))
      throw new FramewrightError(
        'MODEL_UNSUPPORTED',
        `the adapter ${file} changes ${name}; training goes on from adapters of ${LORA_TARGETS.join(', ')} only: ` +
          'merge it into the model first (framewright gguf lora-merge)',
      );
    pairs.set(name, (await lora.read(base.tensors.find((tensor) => tensor.name === name)!))!);
  }
  const ranks = new Set([...pairs.values()].map(({ rank }) => rank));
  if (ranks.size !== 1)
    throw new FramewrightError(
      'MODEL_UNSUPPORTED',
      `the adapter ${file} has ranks ${[...ranks].join(', ')}; training goes on from adapters of one rank`,
    );
  const rank = [...ranks][0]!;
  const named = new Set([...pairs.keys()].map((name) => name.split('.')[2]));
  return {
    rank,
    // Without an alpha llama.cpp takes the halves as they are.
    alpha: lora.alpha === 0 ? rank : lora.alpha,
    targets: LORA_TARGETS.filter((target) => named.has(target)),
    numbers: numberPolicyOf(lora.metadata),
    read: (shapes, seed) => {
      const parameters = newAdapter(shapes, rank, seed);
      let at = 0;
      for (const { name, nIn, nOut } of shapes) {
        const pair = pairs.get(name);
        if (pair) {
          parameters.set(pair.a, at);
          parameters.set(transposed(pair.b, nOut, rank), at + rank * nIn);
        }
        at += rank * (nIn + nOut);
      }
      return Promise.resolve(parameters);
    },
  };
}

/** A new adapter, which changes nothing: B is zero, A uniform within 1 / sqrt(in) as PEFT begins (`kaiming_uniform_`, a = sqrt(5)). */
export function newAdapter(pairs: readonly LoraPairShape[], rank: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const parameters = new Float32Array(pairs.reduce((sum, { nIn, nOut }) => sum + rank * (nIn + nOut), 0));
  let at = 0;
  for (const { nIn, nOut } of pairs) {
    const bound = 1 / Math.sqrt(nIn);
    for (let i = 0; i < rank * nIn; i++) parameters[at + i] = bound * (2 * random() - 1);
    at += rank * (nIn + nOut);
  }
  return parameters;
}
