import { existsSync } from 'node:fs';
import { z } from 'zod';
import {
  encodeTensor,
  findTensor,
  GgufError,
  PLAIN_CODEC,
  readGguf,
  readTensor,
  str,
  writeGguf,
  type GgufHeader,
} from '../../../gguf/index.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { TrainerState } from '../../runtime/trainer.js';

const FORMAT = 'framewright-training-1';

const figuresSchema = z.object({
  loss: z.number(),
  accuracy: z.number(),
  margin: z.number().optional(),
  preferred: z.number().optional(),
});

const rowSchema = z.object({
  step: z.number(),
  epoch: z.number(),
  learningRate: z.number(),
  loss: z.number(),
  accuracy: z.number(),
  margin: z.number().optional(),
  gradientNorm: z.number(),
  nTokens: z.number(),
  seconds: z.number(),
  heldOut: figuresSchema.optional(),
});

const progressSchema = z.object({
  /** What was trained, on what and how: a run goes on only with the same. */
  identity: z.record(z.string(), z.string()),
  /** Steps done. */
  step: z.int().min(0),
  /** DPO: log p(chosen) - log p(rejected) of the reference for each pair, then for each that is held out. */
  references: z.object({ train: z.array(z.number()), heldOut: z.array(z.number()) }),
  before: figuresSchema.optional(),
  rows: z.array(rowSchema),
  /** DPO: how far each pair that is held out moved from the reference at the last look, without beta. */
  margins: z.array(z.number()),
  seconds: z.number(),
});

/** Where a run stands, beside its numbers. */
export type Progress = z.infer<typeof progressSchema>;

export interface Checkpoint {
  readonly progress: Progress;
  readonly state: TrainerState;
}

/**
 * Writes a run's state, whole or not at all: the one before stays until then. A GGUF file, so that `gguf inspect` shows it.
 *
 * @throws FramewrightError OUTPUT_WRITE
 */
export async function writeCheckpoint(file: string, { progress, state }: Checkpoint): Promise<void> {
  const { parameters, first, second, nSteps } = state;
  const tensors = Object.entries({ parameters, first, second }).map(([name, values]) => ({
    name,
    type: 'F32' as const,
    shape: [values.length],
    data: encodeTensor('F32', values),
  }));
  const metadata = new Map([
    ['general.type', str('checkpoint')],
    ['framewright.format', str(FORMAT)],
    ['framewright.progress', str(JSON.stringify({ ...progress, nSteps }))],
  ]);
  try {
    await writeGguf(file, { metadata, tensors });
  } catch (error) {
    const kept = existsSync(file)
      ? `; the checkpoint before is whole in ${file}: make room and go on with --resume`
      : '';
    throw new FramewrightError('OUTPUT_WRITE', `cannot write the checkpoint: ${messageOf(error)}${kept}`, {
      cause: error,
    });
  }
}

/**
 * Reads a run's state.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_CORRUPT for a damaged file or one that is no checkpoint; the signal's reason
 */
export async function readCheckpoint(file: string, signal?: AbortSignal): Promise<Checkpoint> {
  if (!existsSync(file))
    throw new FramewrightError('INPUT_NOT_FOUND', `there is no checkpoint ${file}: start without --resume`);
  try {
    const header = await readGguf(file);
    if (header.metadata.get('framewright.format')?.value !== FORMAT)
      throw new Error('it is no checkpoint of this version');
    const said: unknown = JSON.parse(String(header.metadata.get('framewright.progress')?.value));
    const { nSteps, ...progress } = progressSchema.extend({ nSteps: z.int().min(0) }).parse(said);
    const read = async (name: string): Promise<Float32Array> => readFloats(header, name, signal);
    const state = { parameters: await read('parameters'), first: await read('first'), second: await read('second') };
    return { progress, state: { ...state, nSteps } };
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof z.ZodError ? 'it is no checkpoint of this version' : messageOf(error);
    throw new FramewrightError('INPUT_CORRUPT', `cannot go on from ${file}: ${reason}`, { cause: error });
  }
}

async function readFloats(header: GgufHeader, name: string, signal: AbortSignal | undefined): Promise<Float32Array> {
  const tensor = findTensor(header, name);
  if (tensor.type !== 'F32') throw new GgufError('INVALID', `${name} is not F32`);
  return PLAIN_CODEC.decode('F32', await readTensor(header, tensor, signal ? { signal } : {}));
}

/** @throws FramewrightError USAGE where a checkpoint is of another run, with what is another */
export function requireSameRun(file: string, found: Progress['identity'], expected: Progress['identity']): void {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  const other = names.filter((name) => found[name] !== expected[name]);
  if (other.length === 0) return;
  const differences = other.map(
    (name) => `${name} was ${found[name] ?? 'not there'} and is ${expected[name] ?? 'not there'}`,
  );
  throw new FramewrightError(
    'USAGE',
    `${file} is the checkpoint of another run (${differences.join('; ')}): give it the same model, data and settings, ` +
      'or start anew with --force',
  );
}
