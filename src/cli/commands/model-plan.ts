import { cellPxOf } from '../../../gguf/index.js';
import { Option, type Command } from 'commander';
import { defined } from '../../base/defined.js';
import { bytesText } from '../../base/bytes-text.js';
import { usableBytes } from '../../model/plan/fit.js';
import { planModel, type ModelPlan } from '../../model/plan/plan-model.js';
import { kvCacheBytes, totalBytes, type MemoryParts } from '../../model/plan/predict.js';
import { openRuntime } from '../../runtime/runtime.js';
import type { GpuChoice, RuntimeInfo } from '../../runtime/types.js';
import { alignedLines } from '../../base/text-table.js';
import { GPUS, parseSize, parseWhole } from '../options.js';
import { printText } from '../terminal/visible.js';
import { planWords } from './model-plan-words.js';

interface PlanFlags {
  readonly mmproj?: string;
  readonly gpu: GpuChoice;
  readonly vram?: number;
  readonly memory?: number;
  readonly jobs: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

const HELP = `
Examples:
  framewright model plan
  framewright model plan qwen2.5-vl-7b --vram 6GB
  framewright model plan --json model.gguf | jq .settings`;

/** `framewright model plan`: what a model takes, and how it would run here, from its headers alone. */
export function addPlanCommand(model: Command): void {
  model
    .command('plan')
    .description('what a model would take in memory, and the settings that fit, without loading it')
    .argument('[model]', 'name, folder or .gguf file', 'nano')
    .option('--mmproj <file>', 'its vision file (default: the one beside the model)')
    .addOption(new Option('--gpu <kind>', 'as for cropping').choices(GPUS).default('auto'))
    .option('--vram <size>', 'plan for this much GPU memory, e.g. 6GB (default: what is free)', parseSize)
    .option('--memory <size>', 'plan for this much main memory (default: what is free)', parseSize)
    .option('--jobs <n>', 'photos in the model at once', parseWhole('jobs', 1, 64), 1)
    .option('--json', 'one JSON object, in bytes', false)
    .option('--verbose', 'what takes how much, and the settings', false)
    .addHelpText('after', HELP)
    .action(plan);
}

async function plan(model: string, flags: PlanFlags): Promise<void> {
  await using runtime = await openRuntime({ gpu: flags.gpu });
  const planned = await planModel({ model, ...defined({ mmproj: flags.mmproj }) }, runtime.info, {
    parallel: flags.jobs,
    hypothetical: flags.vram !== undefined,
    ...defined({ vramBytes: flags.vram, memoryBytes: flags.memory }),
  });
  printText(`${linesOf(planned, runtime.info, flags).join('\n')}\n`);
}

function linesOf(planned: ModelPlan, info: RuntimeInfo, { json, verbose }: PlanFlags): string[] {
  if (json) return [JSON.stringify(toJson(planned, info))];
  return verbose ? toText(planned, info) : planWords(planned, gpuNameOf(planned, info));
}

/** Undefined where the plan is for none. */
function gpuNameOf({ limits }: ModelPlan, { devices }: RuntimeInfo): string | undefined {
  if (limits.gpuBytes === undefined) return undefined;
  return devices.find(({ kind }) => kind === 'gpu' || kind === 'igpu')?.name ?? 'the GPU';
}

function toJson({ name, from, shape, plan, limits }: ModelPlan, info: RuntimeInfo): object {
  const { settings, prediction, fits, givenUp } = plan;
  return {
    name,
    from,
    backend: info.backend,
    fits,
    settings,
    bytes: {
      host: { ...prediction.host, total: totalBytes(prediction.host) },
      gpu: { ...prediction.gpu, total: totalBytes(prediction.gpu) },
    },
    free: limits,
    kvCacheBytes: Object.fromEntries(
      KV_TYPES.map((type) => [
        type,
        Object.fromEntries(contexts(settings.nCtx).map((n) => [n, kvCacheBytes(shape, type, n)])),
      ]),
    ),
    givenUp,
  };
}

const KV_TYPES = ['f16', 'q8_0', 'f32'] as const;

function contexts(nCtx: number): number[] {
  return [nCtx / 2, nCtx, 2 * nCtx].map(Math.floor);
}

const ROWS: readonly (readonly [label: string, part: keyof MemoryParts])[] = [
  ['weights', 'weights'],
  ['KV cache', 'kvCache'],
  ['vision tower', 'vision'],
  ['work space, text', 'compute'],
  ['work space, picture', 'visionCompute'],
  ['rows of logits', 'outputs'],
];

function toText(planned: ModelPlan, info: RuntimeInfo): string[] {
  const { name, from, shape, plan, limits } = planned;
  const { settings, prediction, fits, givenUp } = plan;
  const gpuName = gpuNameOf(planned, info);
  const places = gpuName !== undefined ? (['gpu', 'host'] as const) : (['host'] as const);
  const row = (label: string, bytes: (place: 'gpu' | 'host') => number): string[] => [
    label,
    ...places.map((place) => bytesText(bytes(place))),
  ];
  const usable = usableBytes(limits);
  const table = [
    ['', ...(gpuName === undefined ? [] : [gpuName]), 'main memory'],
    ...ROWS.map(([label, part]) => row(label, (place) => prediction[place][part])),
    row('together', (place) => totalBytes(prediction[place])),
    row('free, less a reserve', (place) => usable[place]),
  ];
  const kvTable = [
    ['KV cache', ...contexts(settings.nCtx).map((n) => `${n} cells`)],
    ...KV_TYPES.map((type) => [type, ...contexts(settings.nCtx).map((n) => bytesText(kvCacheBytes(shape, type, n)))]),
  ];
  const source = from === 'headers' ? 'from the headers of its files' : 'not downloaded: estimated from the catalogue';
  return [
    `${name}, ${source}`,
    '',
    ...alignedLines(table, [1, 2]),
    '',
    ...alignedLines(kvTable, [1, 2, 3]),
    '',
    fits ? 'It fits, with' : 'It does not fit. The thriftiest settings:',
    ...settingLines(plan, shape, gpuName).map((line) => `  ${line}`),
    ...(givenUp.length === 0 ? ['Nothing is given up.'] : ['Given up:', ...givenUp.map((line) => `  ${line}`)]),
  ];
}

function settingLines(
  { settings }: ModelPlan['plan'],
  { family, text }: ModelPlan['shape'],
  gpuName: string | undefined,
): string[] {
  const cellPx = cellPxOf(family);
  const { gpuLayers, projectorOnGpu, kvType, nCtx, imageTokens, nBatch } = settings;
  const where = gpuName === undefined ? [] : [`${gpuLayers} of ${text.nLayer + 1} layers on ${gpuName}`];
  return [
    ...where,
    `the vision tower on ${projectorOnGpu && gpuName !== undefined ? gpuName : 'the CPU'}`,
    `a KV cache of ${kvType}, ${nCtx} cells`,
    `pictures of up to ${imageTokens} tokens (${cellPx} x ${cellPx} pixels each)`,
    `batches of ${nBatch} tokens`,
  ];
}
