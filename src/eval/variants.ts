import { FramewrightError } from '../base/errors.js';
import type { LoraSpec } from '../runtime/types.js';
import { STAGES, type Stage } from '../base/stages.js';
import type { DatasetKind } from './datasets/types.js';
import type { VlmVariant } from './methods/vlm.js';
import { TASK_OF_KIND } from './prediction.js';

/** A named set of adapters, e.g. none, SFT alone, SFT and DPO. */
export interface AdapterSet {
  readonly name: string;
  readonly loras: readonly LoraSpec[];
}

export const SWEPT_NUMBERS = ['candidates', 'votes', 'image-tokens', 'adapter-scale'] as const;
export type SweptNumber = (typeof SWEPT_NUMBERS)[number];

/** A model file of a sweep over them. */
export interface SweptModel {
  readonly model: string;
  /** What the report calls it. */
  readonly label: string;
  /** Where it stands on the report's axis. */
  readonly bitsPerWeight: number;
}

export type Sweep =
  | { readonly parameter: SweptNumber; readonly values: readonly number[] }
  | { readonly parameter: 'model'; readonly models: readonly SweptModel[] };

/** What to vary, each thing by itself, around one way of using a model. */
export interface VariantRequest {
  readonly kind: DatasetKind;
  readonly model: string;
  readonly candidates: number;
  readonly votes: number;
  /** Image tokens the model sees photos with when none are asked for. */
  readonly imageTokens: number;
  /** The last one is the whole of it: stages are taken from it, and the others are it with adapters off. */
  readonly adapters: readonly [AdapterSet, ...AdapterSet[]];
  /** Stages to take away, one at a time. */
  readonly stages: readonly Stage[];
  /** Done for each set of adapters. */
  readonly sweeps: readonly Sweep[];
}

/** Variants that one loaded model serves. */
export interface VariantGroup {
  readonly model: string;
  readonly loras: readonly LoraSpec[];
  readonly imageTokens?: number;
  readonly variants: readonly VlmVariant[];
}

/** The stages a task runs through, and so the ones that can be taken away. */
export const STAGES_OF_TASK = {
  crop: STAGES,
  rank: ['analysis', 'enhancement'],
  analyse: [],
} as const satisfies Record<string, readonly Stage[]>;

/**
 * The variants asked for, grouped by what has to be loaded; the first group holds the whole model with its stages off
 * one at a time. A setting that is the usual one adds no variant: it is a point of the sweep the usual variant is on.
 * @throws FramewrightError USAGE for what the data set's task has no part in, and for a scale without adapters.
 */
export function planVariants(request: VariantRequest): VariantGroup[] {
  refuseUnfit(request);
  const { model, adapters, stages, sweeps } = request;
  const whole = adapters.at(-1)!;
  return [whole, ...adapters.slice(0, -1)].flatMap((set): VariantGroup[] => {
    const usual: VlmVariant = {
      name: set.name,
      ...settingsOf(request),
      ...withSweeps(usualPoints(request, set)),
      ...(set === whole ? {} : { ablation: { of: whole.name, change: `adapters: ${set.name}` } }),
    };
    const inSameModel: VlmVariant[] = [
      usual,
      ...(set === whole ? stages.map((stage) => withoutStage(request, set, stage)) : []),
    ];
    const others: VariantGroup[] = [];
    for (const sweep of sweeps.filter((each) => canSweep(set, each))) {
      for (const point of unusualPoints(request, sweep)) {
        const variant: VlmVariant = {
          name: `${set.name}, ${point.text}`,
          ...settingsOf(request),
          ...point.settings,
          ...withSweeps([{ ...point.at, series: set.name }]),
        };
        if (point.group) others.push({ model, loras: set.loras, ...point.group(set.loras), variants: [variant] });
        else inSameModel.push(variant);
      }
    }
    return [{ model, loras: set.loras, variants: inSameModel }, ...others];
  });
}

interface Point {
  /** What is said of it after the name of the adapters. */
  readonly text: string;
  readonly at: { readonly parameter: string; readonly value: number; readonly label?: string };
  readonly settings?: Pick<VlmVariant, 'candidates' | 'votes'>;
  /** Where the model has to be loaded in another way. */
  readonly group?: (loras: readonly LoraSpec[]) => Partial<VariantGroup>;
}

function pointsOf(sweep: Sweep): Point[] {
  if (sweep.parameter === 'model') {
    return sweep.models.map(({ model, label, bitsPerWeight }) => ({
      text: label,
      at: { parameter: 'model (bits a weight)', value: bitsPerWeight, label },
      group: () => ({ model }),
    }));
  }
  return sweep.values.map((value): Point => {
    const text = `${sweep.parameter.replace('-', ' ')} ${value}`;
    const at = { parameter: sweep.parameter.replace('-', ' '), value };
    switch (sweep.parameter) {
      case 'candidates':
        return { text, at, settings: { candidates: value } };
      case 'votes':
        return { text, at, settings: { votes: value } };
      case 'image-tokens':
        return { text, at, group: () => ({ imageTokens: value }) };
      case 'adapter-scale':
        return {
          text,
          at,
          group: (loras) => ({ loras: loras.map(({ path, scale = 1 }) => ({ path, scale: scale * value })) }),
        };
    }
  });
}

/** Whether the `index`-th point of a sweep is how the model is used anyway. */
function isUsual(request: VariantRequest, sweep: Sweep, index: number): boolean {
  if (sweep.parameter === 'model') return sweep.models[index]!.model === request.model;
  const usual = {
    candidates: request.candidates,
    votes: request.votes,
    'image-tokens': request.imageTokens,
    'adapter-scale': 1,
  };
  return sweep.values[index] === usual[sweep.parameter];
}

function unusualPoints(request: VariantRequest, sweep: Sweep): Point[] {
  return pointsOf(sweep).filter((_, i) => !isUsual(request, sweep, i));
}

function usualPoints(request: VariantRequest, set: AdapterSet): NonNullable<VlmVariant['sweeps']> {
  const possible = request.sweeps.filter((sweep) => canSweep(set, sweep));
  return possible.flatMap((sweep) =>
    pointsOf(sweep)
      .filter((_, i) => isUsual(request, sweep, i))
      .map(({ at }) => ({ ...at, series: set.name })),
  );
}

/** A set without adapters has no scale. */
function canSweep({ loras }: AdapterSet, { parameter }: Sweep): boolean {
  return parameter !== 'adapter-scale' || loras.length > 0;
}

function withoutStage(request: VariantRequest, { name }: AdapterSet, stage: Stage): VlmVariant {
  const change = `no ${stage}`;
  return { name: `${name}, ${change}`, ...settingsOf(request), without: [stage], ablation: { of: name, change } };
}

function settingsOf({ candidates, votes }: VariantRequest): Pick<VlmVariant, 'candidates' | 'votes'> {
  return { candidates, votes };
}

function withSweeps(sweeps: NonNullable<VlmVariant['sweeps']>): Pick<VlmVariant, 'sweeps'> {
  return sweeps.length > 0 ? { sweeps } : {};
}

function refuseUnfit({ kind, stages, sweeps, adapters }: VariantRequest): void {
  const task = TASK_OF_KIND[kind];
  const fit: readonly Stage[] = STAGES_OF_TASK[task];
  const unfit = stages.find((stage) => !fit.includes(stage));
  if (unfit !== undefined) {
    const there = fit.length > 0 ? `its stages are ${fit.join(', ')}` : 'it is the analysis alone';
    throw new FramewrightError('USAGE', `a data set of ${kind} has no ${unfit} to take away: ${there}`);
  }
  for (const { parameter } of sweeps) {
    if (task !== 'crop' && (parameter === 'candidates' || parameter === 'votes')) {
      throw new FramewrightError('USAGE', `a data set of ${kind} has no ${parameter} to sweep: nothing is proposed`);
    }
    if (parameter === 'adapter-scale' && adapters.every(({ loras }) => loras.length === 0)) {
      throw new FramewrightError(
        'USAGE',
        'a sweep of adapter-scale needs adapters; name them with --lora or --adapters',
      );
    }
  }
}
