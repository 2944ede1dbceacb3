import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { GgufError } from '../errors.js';
import { describeText, describeVision } from '../families/metadata.js';
import { isObject, readJsonObject } from '../json-object.js';
import { PLAIN_CODEC, type TensorCodec } from '../tensor-codec.js';
import { requireValidPair } from '../validate.js';
import { writeGguf, type TensorToWrite, type WriteOptions } from '../writer.js';
import { openCheckpoint, type Checkpoint } from './checkpoint.js';
import { readCheckpointConfig, type CheckpointConfig } from './config.js';
import { convertedType, requireSource, tensorFrom, type ConvertedType } from './tensor-source.js';
import { textTensorsOf, visionTensorsOf } from './tensors.js';
import { checkpointTokenizer } from './tokenizer.js';
import type { WantedTensor } from './wanted-tensor.js';

export interface ConvertOptions extends WriteOptions {
  /** Type of the text model's matrices. Default F16. */
  readonly type?: ConvertedType;
  /** Type of the vision file's; default as `type`. Its positions stay F32, and its patches F32 or F16. */
  readonly mmprojType?: ConvertedType;
  /** Default `PLAIN_CODEC`. */
  readonly codec?: TensorCodec;
  /** After each tensor, with how many of all are done. */
  readonly onTensor?: (nDone: number, nTensors: number) => void;
}

export interface ConvertedPair {
  readonly textPath: string;
  readonly mmprojPath: string;
}

/** Where a checkpoint's files go: named after it and their types, as the published ones are. */
export function convertedPaths(
  checkpoint: string,
  folder: string,
  { type = 'F16', mmprojType = type }: ConvertOptions = {},
): ConvertedPair {
  const name = basename(resolve(checkpoint));
  return {
    textPath: join(folder, `${name}-${type}.gguf`),
    mmprojPath: join(folder, `mmproj-${name}-${mmprojType}.gguf`),
  };
}

const MAX_SETTINGS_BYTES = 2 ** 20;

/**
 * Writes a checkpoint as Hugging Face has it (config.json, safetensors, tokenizer.json, preprocessor_config.json) as a
 * GGUF pair. Weights go through a few MiB at a time. Both files appear or none; files of the same names are replaced.
 *
 * @throws GgufError `UNSUPPORTED` for another model than those of the families or one that computes otherwise, `INVALID`
 * for what is missing, too much, or of another shape, `MALFORMED`, `TRUNCATED`, `IO`, `OUTPUT`; the signal's reason
 */
export async function convertCheckpoint(
  checkpointFolder: string,
  folder: string,
  options: ConvertOptions = {},
): Promise<ConvertedPair> {
  const { type = 'F16', mmprojType = type, signal } = options;
  const config = await readCheckpointConfig(join(checkpointFolder, 'config.json'));
  const checkpoint = await openCheckpoint(checkpointFolder);
  const tokenizer = await checkpointTokenizer(checkpointFolder, config);
  const pixels = await readPixels(join(checkpointFolder, 'preprocessor_config.json'));
  const [textWanted, visionWanted] = [textTensorsOf(config), visionTensorsOf(config)];
  refuseOthers(checkpoint, config, [...textWanted, ...visionWanted]);
  let nDone = 0;
  const told = (tensor: TensorToWrite): TensorToWrite =>
    counting(tensor, () => options.onTensor?.(++nDone, textWanted.length + visionWanted.length));
  const tensorsOf = (wanted: readonly WantedTensor[], mostly: ConvertedType): TensorToWrite[] =>
    wanted.map((each) => {
      const stored = requireStored(checkpoint, config, each);
      return told(tensorFrom(each, stored, convertedType(each, mostly), options.codec ?? PLAIN_CODEC, signal));
    });
  const name = basename(resolve(checkpointFolder));
  const { family, text, vision } = config;
  const nDeepstack = vision.deepstackLayers.length;
  const files = {
    text: {
      metadata: new Map([...describeText(family, name, type, { ...text, nDeepstack }), ...tokenizer]),
      tensors: tensorsOf(textWanted, type),
    },
    mmproj: {
      metadata: describeVision(family, name, mmprojType, {
        ...{ ...vision, ...pixels },
        projectionDim: text.nEmbd,
        epsilon: text.epsilon,
      }),
      tensors: tensorsOf(visionWanted, mmprojType),
    },
  };
  const paths = convertedPaths(checkpointFolder, folder, options);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new GgufError('OUTPUT', `cannot make the folder ${folder}: ${String(error)}`, { cause: error });
  });
  const write = signal ? { signal } : {};
  const written: string[] = [];
  try {
    await writeGguf(paths.textPath, files.text, write);
    written.push(paths.textPath);
    await writeGguf(paths.mmprojPath, files.mmproj, write);
    written.push(paths.mmprojPath);
    await requireValidPair(paths.textPath, paths.mmprojPath, write);
  } catch (error) {
    for (const path of written) await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
  return paths;
}

function counting(tensor: TensorToWrite, done: () => void): TensorToWrite {
  const make = tensor.data as () => AsyncIterable<Uint8Array>;
  async function* data(): AsyncGenerator<Uint8Array> {
    yield* make();
    done();
  }
  return { ...tensor, data };
}

function requireStored(
  { folder, tensors }: Checkpoint,
  { family }: CheckpointConfig,
  wanted: WantedTensor,
): ReturnType<Checkpoint['tensors']['get']> & object {
  const stored = tensors.get(wanted.source);
  if (!stored) throw new GgufError('INVALID', `${folder}: there is no ${wanted.source}, which a ${family.title} has`);
  requireSource(wanted, stored);
  return stored;
}

/** Of what older versions saved beside the weights. */
const IGNORED = /(?:^|\.)rotary_emb\.inv_freq$/;
/** A Qwen3.5's block that guesses ahead, as llama.cpp's converter leaves it out with --no-mtp: nothing here runs it. */
const GUESSES_AHEAD = /^(?:model\.)?mtp\./;

/** Weights that would be left out would make another model than was trained. */
function refuseOthers(
  { folder, tensors }: Checkpoint,
  { family, text }: CheckpointConfig,
  wanted: readonly WantedTensor[],
): void {
  const known = new Set(wanted.map(({ source }) => source));
  const others = [...tensors.keys()].filter(
    (name) =>
      !known.has(name) &&
      !IGNORED.test(name) &&
      !(family.isRecurrent && GUESSES_AHEAD.test(name)) &&
      !(text.tied && name === 'lm_head.weight'),
  );
  if (others.length === 0) return;
  const shown = others.slice(0, 3).join(', ');
  const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
  throw new GgufError('INVALID', `${folder}: ${shown}${more}: no part of a ${family.title} of this config.json`);
}

/** What the model's own preprocessing normalises pixels with. */
async function readPixels(
  path: string,
): Promise<{ readonly mean: readonly number[]; readonly std: readonly number[] }> {
  const settings = await readJsonObject(path, MAX_SETTINGS_BYTES);
  const from = isObject(settings.image_processor) ? settings.image_processor : settings;
  const numbers = (key: string): readonly number[] => {
    const value = from[key];
    if (Array.isArray(value) && value.length === 3 && value.every(Number.isFinite)) return value as number[];
    throw new GgufError('INVALID', `${path}: ${key} must be three numbers`);
  };
  return { mean: numbers('image_mean'), std: numbers('image_std') };
}
