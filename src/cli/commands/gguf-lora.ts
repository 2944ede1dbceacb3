import { InvalidArgumentError, Option, type Command } from 'commander';
import path from 'node:path';
import {
  convertLora,
  FAMILIES,
  GGML_TYPES,
  GgufError,
  isMatrixType,
  isSwallowed,
  mergeLoras,
  readGguf,
  requireValidText,
  type FamilyName,
  type GgmlType,
  type LoraToMerge,
  type MergedTensor,
} from '../../../gguf/index.js';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { checkOutput, checkOutputFolder } from '../../files/write.js';
import { QUANTIZATIONS, quantizeModel, type Quantization } from '../../runtime/quantize.js';
import { nativeCodec } from '../../runtime/tensor-codec.js';
import { alignedLines } from '../../base/text-table.js';
import { fromGgufError } from './gguf-error.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { parseLora, parseWhole } from '../options.js';
import { Progress } from '../terminal/progress.js';
import { printText, say } from '../terminal/visible.js';

const HELP = {
  convert: `
Examples:
  framewright gguf lora-convert adapter/ -o crop.gguf
  framewright gguf lora-convert --base Qwen2.5-VL-7B-Instruct-f16.gguf adapter/ -o crop.gguf`,
  merge: `
Examples:
  framewright gguf lora-merge model-f16.gguf sft.gguf dpo.gguf -o merged-f16.gguf
  framewright gguf lora-merge --type F16 model-Q4_K_M.gguf crop.gguf:0.8 -o merged.gguf`,
  quantize: `
Examples:
  framewright gguf quantize merged-f16.gguf Q4_K_M -o merged-Q4_K_M.gguf
  framewright gguf quantize --pure model-f16.gguf Q8_0 -o model-Q8_0.gguf`,
} as const;

/** `framewright gguf lora-convert|lora-merge|quantize`: adapters into models, and models into smaller ones. */
export function addLoraCommands(gguf: Command): void {
  gguf
    .command('lora-convert')
    .description('make a GGUF adapter of a PEFT one')
    .argument('<folder>', 'with adapter_config.json and adapter_model.safetensors')
    .requiredOption('-o, --output <file>', 'the .gguf to write')
    .option('--base <file>', 'the model it is for: tells the family and the order of heads, and shapes are compared')
    .addOption(
      new Option('--family <name>', 'of the model it is for, without --base (default: qwen2vl)').choices(
        Object.keys(FAMILIES),
      ),
    )
    .option('--f16', 'store halves in F16', false)
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP.convert)
    .action(convert);
  gguf
    .command('lora-merge')
    .description('merge adapters into a model, first to last')
    .argument('<model>', 'text model')
    .argument('<adapters...>', 'GGUF adapters, each file[:scale]', collectLoras)
    .requiredOption('-o, --output <file>', 'the .gguf to write')
    .option('--type <type>', 'type of the changed tensors (default: as in the model)', parseType)
    .option('--json', 'one JSON object a changed tensor', false)
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP.merge)
    .action(merge);
  gguf
    .command('quantize')
    .description("quantise a text model with llama.cpp's quantiser")
    .argument('<model>', 'text model, F32 or F16 at best')
    .argument('<type>', Object.keys(QUANTIZATIONS).join(', '), parseQuantization)
    .requiredOption('-o, --output <file>', 'the .gguf to write')
    .option('--requantize', 'also take a model that is quantised already', false)
    .option('--pure', 'all matrices in the one type', false)
    .option('--threads <n>', 'CPU threads (default: the physical cores)', parseWhole('threads', 1, 512))
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP.quantize)
    .action(quantize);
}

interface OutputFlags {
  readonly output: string;
  readonly force: boolean;
}

async function convert(
  folder: string,
  flags: OutputFlags & { base?: string; family?: FamilyName; f16: boolean },
): Promise<void> {
  await writing([], flags, async (signal) => {
    const base = flags.base === undefined ? undefined : await readGguf(flags.base);
    const type = flags.f16 ? ('F16' as const) : undefined;
    const { nPairs, rank, alpha } = await convertLora(folder, flags.output, {
      signal,
      ...defined({ base, type, family: flags.family }),
    });
    say(`framewright: ${nPairs} matrices, rank ${rank}, alpha ${Number(alpha.toPrecision(6))}\n`);
  });
}

interface MergeFlags extends OutputFlags {
  readonly type?: GgmlType;
  readonly json: boolean;
}

async function merge(model: string, adapters: readonly LoraToMerge[], flags: MergeFlags): Promise<void> {
  await writing([model, ...adapters.map((adapter) => adapter.path)], flags, async (signal, progress) => {
    const codec = await nativeCodec();
    const reports = await mergeLoras(model, adapters, flags.output, {
      codec,
      signal,
      ...defined({ type: flags.type }),
      onTensor: (_, nDone, nTensors) => progress.show(`merging: ${nDone} of ${nTensors} tensors`),
    });
    progress.clear();
    reportMerge(reports, flags.json);
  });
}

function reportMerge(reports: readonly MergedTensor[], json: boolean): void {
  if (json) for (const report of reports) printText(`${JSON.stringify(report)}\n`);
  else {
    const rows = reports.map(({ name, type, meanDelta, meanChange, roundingShare }) => [
      name,
      type,
      meanDelta.toExponential(2),
      meanChange.toExponential(2),
      `${(100 * roundingShare).toFixed(1)} %`,
    ]);
    const table = [['tensor', 'type', 'mean change asked for', 'got', 'rounding'], ...rows];
    for (const line of alignedLines(table, [2, 3, 4])) say(`${line}\n`);
  }
  const swallowed = reports.filter(isSwallowed);
  if (swallowed.length === 0) return;
  const types = [...new Set(swallowed.map(({ type }) => type))].join(', ');
  say(
    `framewright: warning: rounding to ${types} swallows the change of ${swallowed.length} of ${reports.length} tensors; ` +
      'apply the adapter at run time with --lora, merge with --type F16, or merge into an F16 model and quantise that\n',
  );
}

interface QuantizeFlags extends OutputFlags {
  readonly requantize: boolean;
  readonly pure: boolean;
  readonly threads?: number;
}

async function quantize(model: string, type: Quantization, flags: QuantizeFlags): Promise<void> {
  await writing([model], flags, async (signal, progress) => {
    await requireValidText(model, { signal });
    await quantizeModel(model, flags.output, {
      type,
      allowRequantize: flags.requantize,
      pure: flags.pure,
      signal,
      ...defined({ threads: flags.threads }),
      onProgress: (fraction) => progress.show(`quantising: ${Math.round(100 * fraction)} %`),
    });
  });
}

/** Runs what writes `output`, cancellable, and prints its path. */
async function writing(
  inputs: readonly string[],
  { output, force }: OutputFlags,
  work: (signal: AbortSignal, progress: Progress) => Promise<void>,
): Promise<void> {
  if (inputs.some((input) => path.resolve(input) === path.resolve(output)))
    throw new FramewrightError('USAGE', `${output} is read and written; give --output another name`);
  await checkOutput(output, { force });
  await checkOutputFolder(output);
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    await work(signal, progress);
    progress.clear();
    printText(`${output}\n`);
  } catch (error) {
    throw error instanceof GgufError ? fromGgufError(error) : error;
  } finally {
    progress.clear();
    stopListening();
  }
}

function collectLoras(text: string, before: readonly LoraToMerge[] | undefined): readonly LoraToMerge[] {
  return [...(before ?? []), parseLora(text)];
}

function parseType(text: string): GgmlType {
  const found = (Object.keys(GGML_TYPES) as GgmlType[]).find((type) => type === text.toUpperCase());
  if (found && isMatrixType(found)) return found;
  throw new InvalidArgumentError("It is a type a model's matrices can have, e.g. F16 or Q8_0.");
}

function parseQuantization(text: string): Quantization {
  const found = (Object.keys(QUANTIZATIONS) as Quantization[]).find((type) => type === text.toUpperCase());
  if (found) return found;
  throw new InvalidArgumentError(`It is one of ${Object.keys(QUANTIZATIONS).join(', ')}.`);
}
