import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeTensor } from './decode-tensor.js';
import { encodeTensor } from './encode-tensor.js';
import { GgufError } from './errors.js';
import { loraNameOf } from './lora-names.js';
import { namingFile } from './open-file.js';
import type { GgufHeader } from './reader.js';
import { readSafeTensor, readSafeTensors, type SafeTensor, type SafeTensorsHeader } from './safetensors.js';
import { f32, str } from './values.js';
import { writeGguf, type TensorToWrite, type WriteOptions } from './writer.js';

export interface LoraConvertOptions extends WriteOptions {
  /** Type of the tensors. Default: as they are, and F32 for BF16. */
  readonly type?: 'F32' | 'F16';
  /** Header of the model the adapter is for: shapes are compared. */
  readonly base?: GgufHeader;
}

export interface ConvertedLora {
  readonly nPairs: number;
  readonly rank: number;
  /** llama.cpp multiplies by alpha / rank. */
  readonly alpha: number;
}

interface PeftConfig {
  readonly r: number;
  readonly lora_alpha: number;
  readonly use_rslora: boolean;
  readonly rank_pattern: Readonly<Record<string, number>>;
  readonly alpha_pattern: Readonly<Record<string, number>>;
}

/**
 * Writes a PEFT adapter (a folder with adapter_config.json and adapter_model.safetensors) as a GGUF adapter. Bytes are
 * copied: PyTorch's [out, in] is ggml's `ne` [in, out], and Qwen's q and k need no permutation.
 *
 * @throws GgufError `UNSUPPORTED` (DoRA, adapted embeddings or vision tower, ...), `INVALID` (halves that do not fit),
 * `IO`, `MALFORMED`; the signal's reason
 */
export async function convertLora(
  folder: string,
  outputPath: string,
  options: LoraConvertOptions = {},
): Promise<ConvertedLora> {
  const config = await readConfig(join(folder, 'adapter_config.json'));
  const source = await readSafeTensors(join(folder, 'adapter_model.safetensors'));
  const pairs = pairUp(source);
  if (pairs.length === 0) throw new GgufError('INVALID', `${source.path} holds no low-rank pairs`);
  const alphaOf = ({ module, rank }: Pair): number => {
    const alpha = patternValue(config.alpha_pattern, module) ?? config.lora_alpha;
    if (alpha === 0)
      throw new GgufError('INVALID', `${folder}: the alpha of ${module} is 0: the adapter changes nothing`);
    return config.use_rslora ? alpha * Math.sqrt(rank) : alpha;
  };
  // A GGUF adapter has one alpha: pairs that have another get the difference into their b.
  const alpha = alphaOf(pairs[0]!);
  const tensors: TensorToWrite[] = [];
  for (const pair of pairs) {
    options.signal?.throwIfAborted();
    const expected = patternValue(config.rank_pattern, pair.module) ?? config.r;
    if (pair.rank !== expected)
      throw new GgufError(
        'INVALID',
        `${pair.base}: its rank is ${pair.rank}, and adapter_config.json says ${expected}`,
      );
    if (options.base) requireShape(pair, options.base);
    tensors.push(await halfToWrite(source, pair, 'a', 1, options.type));
    tensors.push(await halfToWrite(source, pair, 'b', alphaOf(pair) / alpha, options.type));
  }
  const metadata = new Map([
    ['general.architecture', str('qwen2vl')],
    ['general.type', str('adapter')],
    ['adapter.type', str('lora')],
    ['adapter.lora.alpha', f32(alpha)],
  ]);
  await writeGguf(outputPath, { metadata, tensors }, options.signal ? { signal: options.signal } : {});
  return { nPairs: pairs.length, rank: pairs[0]!.rank, alpha };
}

interface Pair {
  readonly base: string;
  readonly module: string;
  readonly rank: number;
  readonly a: SafeTensor;
  readonly b: SafeTensor;
}

function pairUp(source: SafeTensorsHeader): Pair[] {
  const halves = new Map<string, { module: string; a?: SafeTensor; b?: SafeTensor }>();
  for (const tensor of source.tensors) {
    const { base, module, half } = loraNameOf(tensor.name);
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
  wanted: LoraConvertOptions['type'],
): Promise<TensorToWrite> {
  const tensor = pair[half];
  const { type: found } = tensor;
  if (found !== 'F32' && found !== 'F16' && found !== 'BF16')
    throw new GgufError('UNSUPPORTED', `${source.path}: ${tensor.name} is ${found}; F32, F16 and BF16 are taken`);
  const bytes = await readSafeTensor(source, tensor);
  const type = wanted ?? (found === 'BF16' ? 'F32' : found);
  const shape = [...tensor.shape].reverse();
  const name = `${pair.base}.lora_${half}`;
  if (type === found && factor === 1) return { name, type, shape, data: bytes };
  const values = decodeTensor(found, bytes).map((value) => value * factor);
  return { name, type, shape, data: encodeTensor(type, values) };
}

async function readConfig(path: string): Promise<PeftConfig> {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) throw new GgufError('MALFORMED', `${path} is no JSON: ${error.message}`);
    throw namingFile(path, error);
  }
  const refuse = (why: string): never => {
    throw new GgufError('UNSUPPORTED', `${path}: ${why}`);
  };
  if (parsed.peft_type !== undefined && parsed.peft_type !== 'LORA')
    refuse('only adapters of peft_type LORA are taken');
  if (parsed.use_dora === true) refuse('DoRA has no place in a GGUF adapter; train with use_dora: false');
  if (parsed.fan_in_fan_out === true) refuse('fan_in_fan_out: true transposes the base, which Qwen does not');
  if (parsed.lora_bias === true || (parsed.bias ?? 'none') !== 'none') refuse('trained biases are not taken over');
  if (Array.isArray(parsed.modules_to_save) && parsed.modules_to_save.length > 0)
    refuse(
      `modules_to_save (${parsed.modules_to_save.join(', ')}) are whole modules, not low-rank ones; train without`,
    );
  const { r, lora_alpha: alpha } = parsed;
  if (typeof r !== 'number' || !Number.isFinite(alpha) || !(r > 0))
    throw new GgufError('INVALID', `${path}: r and lora_alpha must be numbers`);
  return {
    r,
    lora_alpha: alpha as number,
    use_rslora: parsed.use_rslora === true,
    rank_pattern: patterns(path, 'rank_pattern', parsed),
    alpha_pattern: patterns(path, 'alpha_pattern', parsed),
  };
}

function patterns(path: string, key: string, config: Record<string, unknown>): Readonly<Record<string, number>> {
  const value: unknown = config[key] ?? {};
  if (typeof value !== 'object' || value === null || !Object.values(value).every((each) => Number.isFinite(each)))
    throw new GgufError('INVALID', `${path}: ${key} must be an object of numbers`);
  return value as Readonly<Record<string, number>>;
}

/** As PEFT matches (get_pattern_key): an expression for a module's whole name, or for its end after a dot. */
function patternValue(all: Readonly<Record<string, number>>, module: string): number | undefined {
  return Object.entries(all).find(([pattern]) => {
    try {
      return new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module);
    } catch {
      throw new GgufError('MALFORMED', `adapter_config.json: "${pattern}" is no regular expression`);
    }
  })?.[1];
}
