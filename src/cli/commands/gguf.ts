import { InvalidArgumentError, Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  GgufError,
  FAMILIES,
  QWEN3VL_SHAPES,
  TOY_PRESETS,
  errorOfProblems,
  inspectGguf,
  readGguf,
  renderSummary,
  validateMmproj,
  validatePair,
  validateText,
  writeToyPair,
  type GgufProblem,
  type ToyOptions,
  type FamilyName,
  type ToyPreset,
} from '../../../gguf/index.js';
import { FramewrightError } from '../../base/errors.js';
import { addConvertCommand } from './gguf-convert.js';
import { addLoraCommands } from './gguf-lora.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { collect } from '../options.js';
import { printText } from '../terminal/visible.js';

const HELP = {
  gguf: `
Examples:
  framewright gguf inspect model.gguf
  framewright gguf validate model.gguf mmproj.gguf`,
  inspect: `
Examples:
  framewright gguf inspect model.gguf
  framewright gguf inspect --tensors --json model.gguf | jq '.tensors | length'`,
  validate: `
Examples:
  framewright gguf validate model.gguf mmproj.gguf
  framewright gguf validate --nan model.gguf mmproj.gguf    # reads all weights too
  framewright gguf validate --json mmproj.gguf
  framewright gguf validate --lora crop.gguf model.gguf

Exit codes: 0 no problems, 3 problems.`,
  toy: `
Examples:
  framewright gguf toy toy/
  framewright gguf toy --family qwen3vl toy3/
  framewright gguf toy --family qwen35 --preset small toy35/
  framewright gguf toy --preset tiny --dims text.nLayer=4 --seed 7 toy/`,
} as const;

/** `framewright gguf inspect|validate|toy|convert|lora-convert|lora-merge|quantize`: model files, without running them. */
export function addGgufCommand(program: Command): void {
  const gguf = program
    .command('gguf')
    .description('look into model files (GGUF), check them, convert them, make random ones')
    .addHelpText('after', HELP.gguf);
  gguf
    .command('inspect')
    .description('metadata, tensor types and sizes of one file')
    .argument('<file>', 'any .gguf file')
    .option('--tensors', 'also list every tensor', false)
    .option('--json', 'one JSON object', false)
    .addHelpText('after', HELP.inspect)
    .action(inspect);
  gguf
    .command('validate')
    .description('everything that would keep a model from running, one problem a line')
    .argument('<model>', 'text model, or a vision file alone')
    .argument('[mmproj]', 'its vision file')
    .option('--lora <file>', 'a LoRA adapter (.gguf) for the text model, repeatable', collect(String), [])
    .option('--nan', 'also read all weights and look for NaN and infinities', false)
    .option('--json', 'one JSON object: { valid, problems }', false)
    .addHelpText('after', HELP.validate)
    .action(validate);
  gguf
    .command('toy')
    .description('write a random pair that runs and knows nothing, for tests and measurements')
    .argument('<folder>', 'where model.gguf and mmproj.gguf go')
    .addOption(new Option('--family <name>', 'architecture').choices(Object.keys(FAMILIES)).default('qwen2vl'))
    .addOption(new Option('--preset <name>', 'sizes to start from').choices(TOY_PRESETS).default('tiny'))
    .addOption(new Option('--type <type>', 'type of the matrices').choices(['F32', 'F16', 'Q8_0']).default('F32'))
    .option('--seed <text>', 'same seed, same bytes', '0')
    .option('--dims <k=v>', 'change a size, e.g. text.nLayer=4; repeatable', collect(parseDimension), [])
    .option('--sparse', 'headers only: full-size files of holes', false)
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP.toy)
    .action(toy);
  addConvertCommand(gguf);
  addLoraCommands(gguf);
}

async function inspect(file: string, flags: { tensors: boolean; json: boolean }): Promise<void> {
  const { tensors, ...summary } = inspectGguf(await readGguf(file));
  print(
    flags.json
      ? JSON.stringify(flags.tensors ? { ...summary, tensors } : summary)
      : renderSummary({ ...summary, tensors }, { tensors: flags.tensors }),
  );
}

async function validate(
  model: string,
  mmproj: string | undefined,
  flags: { lora: readonly string[]; nan: boolean; json: boolean },
): Promise<void> {
  const files = [model, ...(mmproj === undefined ? [] : [mmproj]), ...flags.lora].join(' and ');
  const { signal, stopListening } = interruptSignal();
  try {
    const problems = await findProblems(model, mmproj, { checkNan: flags.nan, loras: flags.lora, signal });
    if (flags.json) print(JSON.stringify({ valid: problems.length === 0, problems }));
    else for (const { message } of problems) print(message);
    if (problems.length > 0) {
      const { code } = errorOfProblems(problems);
      throw new FramewrightError(
        code === 'UNSUPPORTED' ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID',
        `${problems.length === 1 ? 'one problem' : `${problems.length} problems`} in ${files}`,
      );
    }
    if (!flags.json) print(`${files}: no problems`);
  } finally {
    stopListening();
  }
}

async function findProblems(
  model: string,
  mmproj: string | undefined,
  options: { checkNan: boolean; loras: readonly string[]; signal: AbortSignal },
): Promise<readonly GgufProblem[]> {
  if (mmproj !== undefined) return validatePair(model, mmproj, options);
  if (options.loras.length > 0 || !(await isVisionFile(model))) return validateText(model, options);
  return validateMmproj(model, options);
}

/** A file that cannot be read is no vision file: validation says what is wrong with it. */
async function isVisionFile(file: string): Promise<boolean> {
  try {
    return (await readGguf(file)).metadata.get('general.architecture')?.value === 'clip';
  } catch (error) {
    if (error instanceof GgufError && error.code !== 'IO') return false;
    throw error;
  }
}

interface Dimension {
  readonly group: 'text' | 'vision' | 'tokenizer';
  readonly name: string;
  readonly value: number | boolean;
}

interface ToyFlags {
  readonly family: FamilyName;
  readonly preset: ToyPreset;
  readonly type: 'F32' | 'F16' | 'Q8_0';
  readonly seed: string;
  readonly dims: readonly Dimension[];
  readonly sparse: boolean;
  readonly force: boolean;
}

async function toy(folder: string, flags: ToyFlags): Promise<void> {
  const taken = ['model.gguf', 'mmproj.gguf'].map((name) => path.join(folder, name)).find((file) => existsSync(file));
  if (taken !== undefined && !flags.force) {
    throw new FramewrightError('OUTPUT_EXISTS', `${taken} exists; overwrite it with --force`);
  }
  const { signal, stopListening } = interruptSignal();
  const { family, preset, type, seed, sparse, dims } = flags;
  const options: ToyOptions = { family, preset, type, seed, sparse, signal, ...sizesOf(dims) };
  try {
    const { textPath, mmprojPath } = await writeToyPair(folder, options);
    print(textPath);
    print(mmprojPath);
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    const code = error.code === 'WRITE' ? 'USAGE' : 'OUTPUT_WRITE';
    throw new FramewrightError(code, error.message, { cause: error });
  } finally {
    stopListening();
  }
}

const { deepstackLayers: _, ...VISION_SIZES } = QWEN3VL_SHAPES.tiny.vision;
const DIMENSIONS: Readonly<Record<Dimension['group'], Readonly<Record<string, number | boolean>>>> = {
  text: QWEN3VL_SHAPES.tiny.text,
  vision: VISION_SIZES,
  tokenizer: { maxInteger: 0, vocabSize: 0 },
};

function parseDimension(text: string): Dimension {
  const match = /^(text|vision|tokenizer)\.(\w+)=(\d+|true|false)$/.exec(text);
  const group = match?.[1] as Dimension['group'] | undefined;
  const name = match?.[2] ?? '';
  const value = JSON.parse(match?.[3] ?? 'null') as number | boolean | null;
  if (!group || value === null || typeof DIMENSIONS[group][name] !== typeof value) {
    const known = Object.entries(DIMENSIONS).map(([key, sizes]) => `${key}.{${Object.keys(sizes).join(',')}}`);
    throw new InvalidArgumentError(`It is name=value, with a name of ${known.join(', ')}.`);
  }
  return { group, name, value };
}

function sizesOf(dims: readonly Dimension[]): Pick<ToyOptions, 'text' | 'vision' | 'tokenizer'> {
  const group = (name: Dimension['group']): Record<string, number | boolean> =>
    Object.fromEntries(dims.filter((dim) => dim.group === name).map((dim) => [dim.name, dim.value]));
  return { text: group('text'), vision: group('vision'), tokenizer: group('tokenizer') };
}

function print(line: string): void {
  printText(`${line}\n`);
}
