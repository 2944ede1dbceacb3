import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GgufError } from '../errors.js';
import { isObject, readJsonObject } from '../json-object.js';
import { namingFile } from '../open-file.js';
import { readSafeTensors, type SafeTensor } from '../safetensors.js';
import { GGML_TYPES } from '../types.js';

/** Types of weights that are taken. */
const SOURCE_TYPES = ['F32', 'F16', 'BF16'] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** A tensor of a checkpoint and the file it lies in. */
export interface StoredTensor extends Omit<SafeTensor, 'type'> {
  readonly path: string;
  readonly type: SourceType;
}

export interface Checkpoint {
  readonly folder: string;
  /** By name, as the first published checkpoints of the families spell it: `model.layers.0...`, `visual.blocks.0...`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Of an index: some hundred bytes a tensor. */
const MAX_INDEX_BYTES = 64 * 2 ** 20;

/**
 * The tensors of a folder's model.safetensors, or of the files its index names. Their data stay where they are.
 *
 * @throws GgufError `INVALID` for a folder without weights or with less than its index promises, `UNSUPPORTED` for types
 * of weights that are not taken, `MALFORMED`, `TRUNCATED`, `IO`
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw namingFile(folder, error);
  });
  const promised = names.includes(INDEX) ? await readIndex(join(folder, INDEX)) : undefined;
  const files = promised ? [...new Set(promised.values())] : [WHOLE];
  const missing = files.find((file) => !names.includes(file));
  if (missing !== undefined) throw new GgufError('INVALID', `${folder} ${whyMissing(missing, names)}`);
  const tensors = new Map<string, StoredTensor>();
  for (const file of files) {
    const path = join(folder, file);
    for (const tensor of (await readSafeTensors(path)).tensors) {
      const name = usualName(tensor.name);
      if (tensors.has(name)) throw new GgufError('INVALID', `${path}: ${tensor.name} is there twice`);
      tensors.set(name, stored(path, tensor));
    }
  }
  for (const [name, file] of promised ?? [])
    if (!tensors.has(usualName(name)))
      throw new GgufError('INVALID', `${join(folder, file)}: there is no ${name}, which ${INDEX} promises`);
  return { folder, tensors };
}

function whyMissing(file: string, names: readonly string[]): string {
  if (file !== WHOLE) return `lacks ${file}, which ${INDEX} names: download it whole`;
  return names.some((name) => /\.(bin|pth?)$/.test(name))
    ? 'has weights as PyTorch pickles, which are not read; save them as safetensors'
    : `has no ${WHOLE} and no ${INDEX}`;
}

/** Tensors and the files they are in. */
async function readIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const { weight_map: map } = await readJsonObject(path, MAX_INDEX_BYTES);
  const entries = isObject(map) ? Object.entries(map) : [];
  const isFile = (file: unknown): file is string => typeof file === 'string' && /^[\w.-]+\.safetensors$/.test(file);
  if (entries.length === 0 || !entries.every((entry): entry is [string, string] => isFile(entry[1])))
    throw new GgufError('MALFORMED', `${path}: weight_map must give a .safetensors file of the folder for each tensor`);
  return new Map(entries);
}

/** Where a part of the model hangs has changed with the versions of transformers. */
function usualName(name: string): string {
  return name
    .replace(/^(?:model\.)?visual\./, 'visual.')
    .replace(/^(?:model\.language_model|language_model\.model)\./, 'model.')
    .replace(/^language_model\.lm_head\./, 'lm_head.');
}

function stored(path: string, tensor: SafeTensor): StoredTensor {
  const { name, type, shape, nBytes } = tensor;
  if (!isSourceType(type))
    throw new GgufError('UNSUPPORTED', `${path}: ${name} is ${type}; ${SOURCE_TYPES.join(', ')} are taken`);
  const expected = shape.reduce((product, n) => product * n, GGML_TYPES[type].bytesPerBlock);
  if (nBytes !== expected)
    throw new GgufError('MALFORMED', `${path}: ${name} has ${nBytes} bytes, and its shape makes ${expected}`);
  return { ...tensor, path, type };
}

function isSourceType(type: string): type is SourceType {
  return (SOURCE_TYPES as readonly string[]).includes(type);
}
