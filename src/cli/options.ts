import { InvalidArgumentError, Option, type Command } from 'commander';
import { defined } from '../base/defined.js';
import { parseBytes } from '../base/bytes-text.js';
import type { TowerOptions } from '../retrieval/tower.js';
import type { LogLine, LoraSpec, GpuChoice } from '../runtime/types.js';
import { engineChain } from '../base/engine-names.js';
import { messageOf } from '../base/errors.js';
import { ENGINES, type CropRect, type EngineName } from '../base/schema.js';
import { parseFocus, type Focus } from '../crop/focus.js';
import { parseMargin } from '../crop/margin.js';
import { MOST_STRAIGHTEN_DEG, type Straighten } from '../crop/straighten-wish.js';
import { parseBackground } from '../photo/background.js';
import { say } from './terminal/visible.js';

export const GPUS = ['auto', 'cuda', 'vulkan', 'metal', 'cpu'] as const satisfies readonly GpuChoice[];

/** Options of a command that looks at photos with a model and asks it nothing. */
export interface TowerFlags {
  readonly model: string;
  readonly mmproj?: string;
  readonly gpu: GpuChoice;
  readonly threads?: number;
  readonly verbose: boolean;
}

/** Options of every command that runs a model. */
export interface ModelFlags extends TowerFlags {
  readonly lora: readonly LoraSpec[];
  readonly vram?: number;
  readonly plan: boolean;
}

/** Long names of these. */
export const MODEL_OPTIONS: readonly string[] = [
  'model',
  'mmproj',
  'lora',
  'gpu',
  'threads',
  'vram',
  'plan',
  'verbose',
];

export function addTowerFlags(command: Command): Command {
  return command
    .option('--model <name|file>', 'a model by name (framewright model list), or a Qwen-VL .gguf file', 'nano')
    .option('--mmproj <file>', 'its vision file (default: the one beside the model)')
    .addOption(new Option('--gpu <kind>', 'what the model runs on').choices(GPUS).default('auto'))
    .option('--threads <n>', 'CPU threads (default: physical cores that are free)', parseWhole('threads', 1, 1024))
    .option('--verbose', "say what is going on, with llama.cpp's own log", false);
}

export function addModelFlags(command: Command): Command {
  return addTowerFlags(command)
    .option('--lora <file[:scale]>', 'LoRA adapter (.gguf), repeatable', collect(parseLora), [])
    .option('--vram <size>', 'plan for this much GPU memory, e.g. 6GB (default: what is free)', parseSize)
    .option('--no-plan', 'load as asked, whatever memory is free');
}

/** The flags as `openCropper` takes them. */
export function cropperOptionsOf(flags: ModelFlags): {
  model: string;
  mmproj?: string;
  loras: readonly LoraSpec[];
  gpu: GpuChoice;
  threads?: number;
  vramBytes?: number;
  memory: 'plan' | 'ignore';
  onLog?: (line: LogLine) => void;
} {
  return {
    model: flags.model,
    loras: flags.lora,
    gpu: flags.gpu,
    memory: flags.plan ? 'plan' : 'ignore',
    ...defined({
      vramBytes: flags.vram,
      mmproj: flags.mmproj,
      threads: flags.threads,
      onLog: flags.verbose ? writeLog : undefined,
    }),
  };
}

/** The flags as far as a vision tower alone has a use for them. */
export function towerOptionsOf({ model, mmproj, gpu, threads, verbose }: TowerFlags): TowerOptions {
  return { model, gpu, ...defined({ mmproj, threads, onLog: verbose ? writeLog : undefined }) };
}

function writeLog({ level, text }: LogLine): void {
  say(`${level}: ${text.trimEnd()}\n`);
}

/** The parser of an option that may be given several times: its value is the list of all that were given. */
export interface Collector<T> {
  (text: string, before: readonly T[]): readonly T[];
  readonly isRepeatable: true;
}

export function collect<T>(parse: (text: string) => T): Collector<T> {
  const append = (text: string, before: readonly T[]): readonly T[] => [...before, parse(text)];
  return Object.assign(append, { isRepeatable: true as const });
}

export function isRepeatable({ parseArg }: Option): boolean {
  return parseArg !== undefined && 'isRepeatable' in parseArg;
}

/** The parser of an option whose value is a list with commas between. */
export interface ListParser<T> {
  (text: string): T;
  readonly isList: true;
}

export function isList({ parseArg }: Option): boolean {
  return parseArg !== undefined && 'isList' in parseArg;
}

/** `--engine`: one, or several that are asked in turn. */
export function engineOption(): Option {
  return new Option(
    '--engine <name,...>',
    'what finds the crops; of several, as faces,vlm,centre, each is asked for what the ones before have no crop for',
  )
    .choices([...ENGINES])
    .argParser(parseEngines)
    .default(['vlm'], 'vlm');
}

const parseEngines: ListParser<readonly EngineName[]> = Object.assign(
  (text: string) => {
    try {
      return engineChain(text.split(',').map((name) => name.trim()));
    } catch (error) {
      const [first, ...rest] = messageOf(error);
      throw new InvalidArgumentError([first!.toUpperCase(), ...rest, rest.at(-1) === '?' ? '' : '.'].join(''));
    }
  },
  { isList: true as const },
);

export function parseWhole(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`${name} is a whole number from ${least} to ${most}.`);
  };
}

export function parseJobs(text: string): number | 'auto' {
  if (text === 'auto') return text;
  try {
    return parseWhole('jobs', 1, 64)(text);
  } catch {
    throw new InvalidArgumentError('jobs is auto, or a whole number from 1 to 64.');
  }
}

/** `6GB`, `512 MiB`: bytes. */
export function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('It is a size with its unit, e.g. 6GB or 512MiB.');
}

export const parseShare = parseUpTo(1, 'share');
export const parseTemperature = parseUpTo(5, 'number');

function parseUpTo(most: number, noun: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= 0 && value <= most) return value;
    throw new InvalidArgumentError(`It is a ${noun} from 0 to ${most}.`);
  };
}

/** `off`, `auto`, or degrees. */
export function parseStraighten(text: string): Straighten {
  if (text === 'off' || text === 'auto') return text;
  const degrees = Number(text);
  if (text.trim() !== '' && Math.abs(degrees) <= MOST_STRAIGHTEN_DEG) return degrees;
  throw new InvalidArgumentError(
    `It is off, auto, or degrees from -${MOST_STRAIGHTEN_DEG} to ${MOST_STRAIGHTEN_DEG}, clockwise.`,
  );
}

/** `x,y,width,height` in oriented photo pixels. */
export function parseRect(text: string): CropRect {
  const match = /^(\d+),(\d+),(\d+),(\d+)$/.exec(text.replaceAll(' ', ''));
  if (!match) throw new InvalidArgumentError('It is x,y,width,height in whole pixels of the upright photo.');
  const [x, y, width, height] = match.slice(1).map(Number) as [number, number, number, number];
  return { x, y, width, height };
}

/** `420,310` in pixels of the upright photo, or `50%,30%` of its width and height. */
export function parseFocusFlag(text: string): Focus {
  const focus = parseFocus(text);
  if (focus) return focus;
  throw new InvalidArgumentError('It is x,y in whole pixels of the upright photo, or as 50%,30% of its sides.');
}

/** `10%` or `40px`; as text, which the library reads. */
export function parseMarginFlag(text: string): string {
  try {
    parseMargin(text);
  } catch {
    throw new InvalidArgumentError("It is a share of the subject's longer side as 10%, or pixels as 40px.");
  }
  return text;
}

/** `#rrggbb`, `#rgb`, or white, grey, black. */
export function parseColour(text: string): string {
  try {
    return parseBackground(text);
  } catch {
    throw new InvalidArgumentError('It is a colour as #rrggbb, or white, grey or black.');
  }
}

/** `adapter.gguf` or `adapter.gguf:0.8`. */
export function parseLora(text: string): LoraSpec {
  const match = /^(.+?):(-?\d*\.?\d+)$/.exec(text);
  return match ? { path: match[1]!, scale: Number(match[2]) } : { path: text };
}
