import { join } from 'node:path';
import { decodeTensor } from './decode-tensor.js';
import { encodeTensor } from './encode-tensor.js';
import { GgufError } from './errors.js';
import type { FamilyName, ModelFamily } from './families/family.js';
import { FAMILIES, familyOfText, familyTitles } from './families/index.js';
import { linearOrder, type LinearRuns } from './lora-linear.js';
import { loraNameOf } from './lora-names.js';
import { readPeftConfig } from './peft-config.js';
import type { GgufHeader } from './reader.js';
import { readSafeTensor, readSafeTensors, type SafeTensor, type SafeTensorsHeader } from './safetensors.js';
import { reorderColumns } from './value-heads.js';
import { GGML_TYPES } from './types.js';
import { f32, str } from './values.js';
import { writeGguf, type TensorToWrite, type WriteOptions } from './writer.js';

export interface LoraConvertOptions extends WriteOptions {
  /** Type of the tensors. Default: as they are, and F32 for BF16. */
  readonly type?: 'F32' | 'F16';
  /** Header of the model the adapter is for: shapes are compared, and it tells the family. */
  readonly base?: GgufHeader;
  /** Family of the model it is for, where `base` is left out. Default `qwen2vl`. */
  readonly family?: FamilyName;
}

export interface ConvertedLora {
  readonly nPairs: number;
  readonly rank: number;
  /** llama.cpp multiplies by alpha / rank. */
  readonly alpha: number;
}

/**
 * Writes a PEFT adapter (a folder with adapter_config.json and adapter_model.safetensors) as a GGUF adapter. Bytes are
 * copied: PyTorch's [out, in] is ggml's `ne` [in, out], and q and k of these families need no permutation. Of a layer that
 * keeps a running state they are put in the order that llama.cpp has the heads of values in, which `base` tells.
 *
 * @throws GgufError `UNSUPPORTED` (DoRA, adapted embeddings or vision tower, ...), `INVALID` (halves that do not fit),
 * `IO`, `OUTPUT`, `MALFORMED`; the signal's reason
 */
export async function convertLora(
  folder: string,
  outputPath: string,
  options: LoraConvertOptions = {},
): Promise<ConvertedLora> {
  const family = options.base ? requireFamily(options.base) : FAMILIES[options.family ?? 'qwen2vl'];
  const config = await readPeftConfig(join(folder, 'adapter_config.json'));
  const source = await readSafeTensors(join(folder, 'adapter_model.safetensors'));
  const pairs = pairUp(source, family);
  if (pairs.length === 0) throw new GgufError('INVALID', `${source.path} holds no low-rank pairs`);
  const alphaOf = ({ module, rank }: Pair): number => {
    const alpha = config.alpha_pattern.valueOf(module) ?? config.lora_alpha;
    if (alpha === 0)
      throw new GgufError('INVALID', `${folder}: the alpha of ${module} is 0: the adapter changes nothing`);
    return config.use_rslora ? alpha * Math.sqrt(rank) : alpha;
  };
  // A GGUF adapter has one alpha: pairs that have another get the difference into their b.
  const alpha = alphaOf(pairs[0]!);
  const orderOf = linearOrder(options.base);
  const tensors: TensorToWrite[] = [];
  for (const pair of pairs) {
    options.signal?.throwIfAborted();
    const expected = config.rank_pattern.valueOf(pair.module) ?? config.r;
    if (pair.rank !== expected)
      throw new GgufError(
        'INVALID',
        `${pair.base}: its rank is ${pair.rank}, and adapter_config.json says ${expected}`,
      );
    if (options.base) requireShape(pair, options.base);
    const runs = orderOf(pair);
    tensors.push(await halfToWrite(source, pair, 'a', 1, runs, options.type));
    tensors.push(await halfToWrite(source, pair, 'b', alphaOf(pair) / alpha, runs, options.type));
  }
  const metadata = new Map([
    ['general.architecture', str(family.architecture)],
    ['general.type', str('adapter')],
    ['adapter.type', str('lora')],
    ['adapter.lora.alpha', f32(alpha)],
  ]);
  await writeGguf(outputPath, { metadata, tensors }, options.signal ? { signal: options.signal } : {});
  return { nPairs: pairs.length, rank: pairs[0]!.rank, alpha };
}

function requireFamily({ path, metadata }: GgufHeader): ModelFamily {
  const family = familyOfText(metadata);
  if (family) return family;
  throw new GgufError('UNSUPPORTED', `${path} is no text model of ${familyTitles('or')}`);
}

interface Pair {
  readonly base: string;
  readonly module: string;
  readonly rank: number;
  readonly a: SafeTensor;
  readonly b: SafeTensor;
}

function pairUp(source: SafeTensorsHeader, family: ModelFamily): Pair[] {
  const halves = new Map<string, { module: string; a?: SafeTensor; b?: SafeTensor }>();
  for (const tensor of source.tensors) {
    const { base, module, half } = loraNameOf(tensor.name, family);
    const entry = halves.get(base) ?? { module };
    if (entry[half]) throw new GgufError('INVALID', `${source.path}: ${base} has two halves ${half}`);
    halves.set(base, { ...entry, [half]: tensor });
  }
  return [...halves]
    .map(([base, { module, a, b }]) => {
      if (!a || !b) throw new GgufError('INVALID', `${source.path}: ${base} has no lora_${a ? 'B' : 'A'}`);
      const [rank, nIn] = a.shape;
      const [nOut, rankOfB] = b.shape;
      if (a.shape.length !== 2 || b.shape.length !== 2 || rank !== rankOfB || !rank || !nIn || !nOut)
        throw new GgufError(
          'INVALID',
          `${source.path}: ${base}: [${a.shape.join(', ')}] and [${b.shape.join(', ')}] are no low-rank pair`,
        );
      return { base, module, rank, a, b };
    })
    .sort((x, y) => x.base.localeCompare(y.base, 'en', { numeric: true }));
}

function requireShape({ base, a, b }: Pair, header: GgufHeader): void {
  const tensor = header.tensors.find(({ name }) => name === base);
  const [nIn, nOut] = tensor?.shape ?? [];
  if (nIn === a.shape[1] && nOut === b.shape[0]) return;
  const found = tensor ? `is ${tensor.shape.join(' x ')}` : 'does not exist';
  throw new GgufError(
    'INVALID',
    `${base} ${found} in ${header.path}, and the adapter is for ${a.shape[1]} x ${b.shape[0]}`,
  );
}

async function halfToWrite(
  source: SafeTensorsHeader,
  pair: Pair,
  half: 'a' | 'b',
  factor: number,
  { rows, columns }: LinearRuns,
  wanted: LoraConvertOptions['type'],
): Promise<TensorToWrite> {
  const tensor = pair[half];
  const { type: found } = tensor;
  if (found !== 'F32' && found !== 'F16' && found !== 'BF16')
    throw new GgufError('UNSUPPORTED', `${source.path}: ${tensor.name} is ${found}; F32, F16 and BF16 are taken`);
  const read = await readSafeTensor(source, tensor);
  const { bytesPerBlock: size } = GGML_TYPES[found];
  const bytes =
    half === 'a' && columns
      ? reorderColumns(read, columns, size)
      : half === 'b' && rows
        ? reorderColumns(read, rows, pair.rank * size)
        : read;
  const type = wanted ?? (found === 'BF16' ? 'F32' : found);
  const shape = [...tensor.shape].reverse();
  const name = `${pair.base}.lora_${half}`;
  if (type === found && factor === 1) return { name, type, shape, data: bytes };
  const values = decodeTensor(found, bytes).map((value) => value * factor);
  return { name, type, shape, data: encodeTensor(type, values) };
}
