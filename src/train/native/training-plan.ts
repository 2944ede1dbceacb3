import { bytesText } from '../../base/bytes-text.js';
import { FramewrightError } from '../../base/errors.js';
import { usableBytes } from '../../model/plan/fit.js';
import { availableHostBytes } from '../../model/plan/limits.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { TrainerOptions, TrainingCost } from '../../runtime/trainer.js';
import { lengthOf, type SequenceLength } from './pack.js';
import type { TrainingData, TrainItem } from './prepare.js';
import type { TrainKind } from './records.js';
import { stepsOf, type TrainSettings } from './settings.js';

/** What a run will take, and on what. */
export interface TrainingPlan {
  readonly kind: TrainKind;
  readonly nTrain: number;
  readonly nHeldOut: number;
  readonly nSteps: number;
  readonly longest: SequenceLength;
  /** One of ggml's devices. */
  readonly device: string;
  /** Why it is not the GPU that there is. */
  readonly whyNotGpu: string | undefined;
  readonly threads: number;
  /** Each layer is computed anew on the way back. */
  readonly recompute: boolean;
  readonly cost: TrainingCost;
  /** Bytes on the device and in main memory: the same where the device is the CPU. */
  readonly deviceBytes: number;
  readonly hostBytes: number;
  /** What may be planned with. */
  readonly freeDeviceBytes: number;
  readonly freeHostBytes: number;
  readonly fits: boolean;
  /** Of the whole run, estimated from a product of matrices as large as the model's. */
  readonly seconds: number;
}

export interface PlanRequest {
  readonly kind: TrainKind;
  readonly textPath: string;
  readonly data: TrainingData;
  readonly settings: TrainSettings;
  readonly threads: number;
  /** Default: where memory does not suffice without. */
  readonly recompute?: boolean;
  /** Plans for this much main memory. Default: what is free. */
  readonly memoryBytes?: number;
}

/**
 * Beside its products of matrices a step also moves what they are made of, and small products are slower than large ones.
 * Twelve steps of the nano: 15 s planned, 14 s of CPU time (2026-11).
 */
const EFFICIENCY = 0.5;
/** Of forward and back, a look without a step is about a third. */
const FORWARD_SHARE = 1 / 3;

/** @throws FramewrightError MODEL_LOAD, MODEL_UNSUPPORTED */
export function planTraining(runtime: Runtime, request: PlanRequest): TrainingPlan {
  const { data, settings, kind } = request;
  const longest = longestOf([...data.train, ...data.heldOut]);
  const gpu = runtime.info.devices.find((device) => device.kind === 'gpu' || device.kind === 'igpu');
  const attempt = (device: string, recompute: boolean): Attempt => {
    const options = trainerOptionsOf(request, device, recompute);
    return { device, recompute, options, cost: runtime.planTraining(options, longest) };
  };
  const missing = gpu && attempt(gpu.name, false).cost.unsupported;
  const device = gpu && missing === '' ? gpu.name : 'CPU';
  const freeHostBytes =
    request.memoryBytes ?? usableBytes({ gpuBytes: undefined, hostBytes: availableHostBytes() }).host;
  const freeDeviceBytes =
    device === 'CPU' ? freeHostBytes : usableBytes({ gpuBytes: gpu?.memoryFreeBytes, hostBytes: freeHostBytes }).gpu;
  const settle = (tried: Attempt): Settled => {
    const { baseBytes, transposedBytes, adapterBytes, computeBytes, optimizerBytes, hostBytes: rest } = tried.cost;
    const onDevice = baseBytes + transposedBytes + adapterBytes + computeBytes;
    const onHost = optimizerBytes + rest;
    const deviceBytes = device === 'CPU' ? onDevice + onHost : onDevice;
    const hostBytes = device === 'CPU' ? deviceBytes : onHost;
    return { ...tried, deviceBytes, hostBytes, fits: deviceBytes <= freeDeviceBytes && hostBytes <= freeHostBytes };
  };
  const kept = settle(attempt(device, request.recompute ?? false));
  const chosen = kept.fits || request.recompute !== undefined ? kept : settle(attempt(device, true));
  const { options, ...plan } = chosen;
  const nSteps = stepsOf(settings, data.train.length);
  return {
    ...plan,
    kind,
    nTrain: data.train.length,
    nHeldOut: data.heldOut.length,
    nSteps,
    longest,
    whyNotGpu: missing ? `${gpu.name} cannot compute ${missing}` : undefined,
    threads: request.threads,
    freeDeviceBytes,
    freeHostBytes,
    seconds:
      (nTokensOf(request, nSteps) * (plan.cost.flops / longest.nTokens)) /
      (EFFICIENCY * speedOf(runtime, options, plan.fits)),
  };
}

interface Attempt {
  readonly device: string;
  readonly recompute: boolean;
  readonly options: TrainerOptions;
  readonly cost: TrainingCost;
}

interface Settled extends Attempt {
  readonly deviceBytes: number;
  readonly hostBytes: number;
  readonly fits: boolean;
}

export function trainerOptionsOf(
  { textPath, settings, threads }: Pick<PlanRequest, 'textPath' | 'settings' | 'threads'>,
  device: string,
  recompute: boolean,
): TrainerOptions {
  const { rank, alpha, targets } = settings;
  return { path: textPath, rank, alpha, targets, threads, device, recompute };
}

function longestOf(items: readonly TrainItem[]): SequenceLength {
  const lengths = items.map(({ tokens }) => lengthOf(tokens));
  return {
    nTokens: Math.max(...lengths.map(({ nTokens }) => nTokens)),
    nRows: Math.max(...lengths.map(({ nRows }) => nRows)),
  };
}

/** Tokens computed forward and back, those of looks counted by their share. */
function nTokensOf({ kind, data, settings }: PlanRequest, nSteps: number): number {
  const sum = (items: readonly TrainItem[]): number =>
    items.reduce((total, { tokens }) => total + lengthOf(tokens).nTokens, 0);
  const nLooks = 1 + Math.ceil(nSteps / everyOf(settings, nSteps)); // the first one, and those on the way
  const nLearnt = nSteps * settings.batchSize;
  const nReferences = kind === 'dpo' ? Math.min(nLearnt, data.train.length) : 0;
  const each = sum(data.train) / data.train.length;
  return each * nLearnt + FORWARD_SHARE * (nLooks * sum(data.heldOut) + nReferences * each);
}

/** Steps between two looks at what is held out. */
export function everyOf({ every }: TrainSettings, nSteps: number): number {
  return every ?? Math.max(1, Math.ceil(nSteps / 10));
}

/** Not measured where nothing will run: that takes memory too. */
function speedOf(runtime: Runtime, options: TrainerOptions, fits: boolean): number {
  return fits ? runtime.measureTrainingSpeed(options) : NaN;
}

/** The plan in words, a line each. */
export function planLines(plan: TrainingPlan): string[] {
  const { cost, longest } = plan;
  const on =
    plan.device === 'CPU' ? `the CPU, ${plan.threads === 1 ? '1 thread' : `${plan.threads} threads`}` : plan.device;
  return [
    `${plan.nTrain} ${plan.kind === 'sft' ? 'conversations' : 'pairs'} to learn from, ${plan.nHeldOut} held out; ` +
      `${plan.nSteps} steps; the longest has ${longest.nTokens} tokens`,
    `on ${on}${plan.whyNotGpu === undefined ? '' : ` (${plan.whyNotGpu})`}; ` +
      `${cost.nParameters.toLocaleString('en')} numbers are trained`,
    `memory: weights ${bytesText(cost.baseBytes)}, ` +
      (cost.transposedBytes > 0 ? `their transposes ${bytesText(cost.transposedBytes)}, ` : '') +
      `adapter and optimizer ${bytesText(cost.adapterBytes + cost.optimizerBytes)}, ` +
      `work space ${bytesText(cost.computeBytes + cost.hostBytes)}` +
      `${plan.recompute ? ' (layers computed anew on the way back)' : ''}; ` +
      `together ${bytesText(plan.deviceBytes)} of ${bytesText(plan.freeDeviceBytes)} that are free`,
    ...(plan.fits ? [`time: about ${durationText(plan.seconds)}`] : []),
  ];
}

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} days`;
}

/** @throws FramewrightError MODEL_TOO_LARGE with what would fit */
export function requireFit(plan: TrainingPlan): void {
  if (plan.fits) return;
  const { cost } = plan;
  const weights = cost.baseBytes + cost.transposedBytes;
  const advice = [
    ...(plan.recompute ? [] : ['leave out --no-recompute']),
    weights > plan.freeDeviceBytes
      ? 'take a smaller model, or one quantised to fewer bits'
      : `make the longest conversation shorter than its ${plan.longest.nTokens} tokens (fewer pixels a frame)`,
    `use a machine with ${bytesText(plan.deviceBytes)} free`,
    'or train with LLaMA-Factory on a GPU from the same export',
  ];
  throw new FramewrightError(
    'MODEL_TOO_LARGE',
    `training this takes ${bytesText(plan.deviceBytes)} and ${bytesText(plan.freeDeviceBytes)} are free: ${advice.join('; ')}`,
  );
}
