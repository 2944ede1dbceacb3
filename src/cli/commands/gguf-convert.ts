import { Option, type Command } from 'commander';
import {
  CONVERTED_TYPES,
  convertCheckpoint,
  convertedPaths,
  familyTitles,
  GgufError,
  type ConvertedType,
} from '../../../gguf/index.js';
import { defined } from '../../base/defined.js';
import { checkOutput } from '../../files/write.js';
import { nativeCodec } from '../../runtime/tensor-codec.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { printText } from '../terminal/visible.js';
import { fromGgufError } from './gguf-error.js';

const HELP = `
Examples:
  framewright gguf convert Qwen3-VL-4B-Instruct/ --out models/
  framewright gguf convert my-tuned-model/ --out models/ --type BF16 --mmproj-type Q8_0`;

interface ConvertFlags {
  readonly out: string;
  readonly type: ConvertedType;
  readonly mmprojType?: ConvertedType;
  readonly force: boolean;
}

/** `framewright gguf convert`: a checkpoint into a pair. */
export function addConvertCommand(gguf: Command): void {
  gguf
    .command('convert')
    .description(`make a GGUF pair of a Hugging Face checkpoint of ${familyTitles('or')}`)
    .argument('<folder>', 'with config.json, safetensors, tokenizer.json and preprocessor_config.json')
    .requiredOption('--out <folder>', 'where <name>-<type>.gguf and mmproj-<name>-<type>.gguf go')
    .addOption(new Option('--type <type>', 'type of the matrices').choices(CONVERTED_TYPES).default('F16'))
    .addOption(new Option('--mmproj-type <type>', "of the vision file's (default: as --type)").choices(CONVERTED_TYPES))
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP)
    .action(convert);
}

async function convert(checkpoint: string, { out, type, mmprojType, force }: ConvertFlags): Promise<void> {
  const types = { type, ...defined({ mmprojType }) };
  const paths = convertedPaths(checkpoint, out, types);
  for (const file of [paths.textPath, paths.mmprojPath]) await checkOutput(file, { force });
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    const codec = await nativeCodec();
    const onTensor = (nDone: number, nTensors: number): void =>
      progress.show(`converting: ${nDone} of ${nTensors} tensors`);
    const { textPath, mmprojPath } = await convertCheckpoint(checkpoint, out, { ...types, codec, signal, onTensor });
    progress.clear();
    printText(`${textPath}\n${mmprojPath}\n`);
  } catch (error) {
    throw error instanceof GgufError ? fromGgufError(error) : error;
  } finally {
    progress.clear();
    stopListening();
  }
}
