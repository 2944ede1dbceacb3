import type { ErrorCode } from '../base/errors.js';
import type { Box, Size } from '../base/geometry.js';
import type { DatasetKind, MissingPhoto } from './datasets/types.js';
import type { Measure } from './measure.js';
import { MEASURES, scorePhoto, type Photo } from './measures.js';
import {
  bootstrapSamples,
  pairedInterval,
  percentileInterval,
  type BootstrapOptions,
  type Combine,
} from '../base/intervals.js';
import type { Ablation, SweepPoint } from './methods/types.js';
import type { Prediction } from './prediction.js';
import { judgedBox, subjectBox } from './ratio-measures.js';
import type { Run } from './run.js';

/** A figure and its bootstrap 95 % interval; null where the photos do not determine it. */
export interface Figure {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface MethodResult {
  readonly name: string;
  readonly key: string;
  readonly sweeps?: readonly SweepPoint[];
  readonly ablation?: Ablation;
  /** Photos without a usable prediction; they count as the worst. */
  readonly nUnusable: number;
  readonly nReused: number;
  readonly medianMs: number;
  /** By measure. */
  readonly figures: Readonly<Record<string, Figure>>;
}

export interface PairedResult {
  readonly method: string;
  readonly reference: string;
  /** `method` minus `reference` on the same photos, by measure. */
  readonly differences: Readonly<Record<string, Figure>>;
}

export interface PhotoResult {
  readonly id: string;
  readonly path: string | undefined;
  /** Label space. */
  readonly size: Size;
  readonly labels: PhotoLabels;
  /** In the order of `EvaluationResult.methods`. */
  readonly predictions: readonly {
    readonly prediction: Prediction;
    readonly scores: Readonly<Record<string, number | null>>;
  }[];
}

export type PhotoLabels =
  | { readonly boxes: readonly Box[] }
  | Pick<Extract<Photo, { crops: unknown }>, 'crops'>
  | Pick<Extract<Photo, { pairs: unknown }>, 'pairs'>
  | Pick<Extract<Photo, { elements: unknown }>, 'elements'>;

/** Everything an evaluation found, as plain JSON. */
export interface EvaluationResult {
  readonly schemaVersion: 1;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly dataset: {
    readonly name: string;
    readonly kind: DatasetKind;
    readonly split: string | null;
    readonly nPhotos: number;
    readonly missing: readonly MissingPhoto[];
    readonly repairs: readonly string[];
  };
  readonly bootstrap: Required<BootstrapOptions>;
  readonly measures: readonly Omit<Measure, 'combine'>[];
  readonly methods: readonly MethodResult[];
  /** Every two methods, once. */
  readonly paired: readonly PairedResult[];
  readonly photos: readonly PhotoResult[];
  readonly errors: readonly {
    readonly photo: string;
    readonly method: string;
    readonly code: ErrorCode | 'UNKNOWN';
    readonly message: string;
  }[];
}

/** The figures of a run, each with its interval, and of every two methods with the interval of their difference. */
export function aggregate(run: Run, { resamples = 2000, seed = 1 }: BootstrapOptions = {}): EvaluationResult {
  const measures = MEASURES[run.dataset.kind];
  const photos = run.photos as readonly (Run['photos'][number] & Photo)[];
  const combines = measures.map(({ combine }) => combine);
  const rows = run.outcomes.map((outcomes) => outcomes.map(({ prediction }, p) => scorePhoto(photos[p]!, prediction)));
  const values = rows.map((ofMethod) => figuresOf(combines, ofMethod));
  const samples = rows.map((ofMethod) => bootstrapSamples(ofMethod, combines, { resamples, seed }));
  const ofPhotos = rows.map((ofMethod) => ofMethod.map((row) => figuresOf(combines, [row])));

  return {
    schemaVersion: 1,
    createdAt: new Date().toISOString(),
    dataset: {
      name: run.dataset.name,
      kind: run.dataset.kind,
      split: run.dataset.split ?? null,
      nPhotos: photos.length,
      missing: run.missing,
      repairs: run.repairs,
    },
    bootstrap: { resamples, seed },
    measures: measures.map(({ id, label, group, better }) => ({ id, label, group, better })),
    methods: run.methods.map((method, m) => ({
      ...method,
      nUnusable: run.outcomes[m]!.filter(({ prediction }) => 'unusable' in prediction).length,
      nReused: run.outcomes[m]!.filter(({ isReused }) => isReused).length,
      medianMs: median(run.outcomes[m]!.map(({ ms }) => ms)),
      figures: byMeasure(measures, (i) => figure(values[m]![i]!, percentileInterval(samples[m]![i]!))),
    })),
    paired: run.methods.flatMap((method, m) =>
      run.methods.slice(0, m).map((reference, r) => ({
        method: method.name,
        reference: reference.name,
        differences: byMeasure(measures, (i) =>
          figure(values[m]![i]! - values[r]![i]!, pairedInterval(samples[m]![i]!, samples[r]![i]!)),
        ),
      })),
    ),
    photos: photos.map((photo, p) => ({
      id: photo.id,
      path: photo.path,
      size: photo.size,
      labels: labelsOf(photo),
      predictions: run.outcomes.map((outcomes, m) => ({
        prediction: outcomes[p]!.prediction,
        scores: byMeasure(measures, (i) => finiteOrNull(ofPhotos[m]![p]![i]!)),
      })),
    })),
    errors: run.outcomes.flatMap((outcomes, m) =>
      outcomes.flatMap(({ error }, p) =>
        error ? [{ photo: photos[p]!.id, method: run.methods[m]!.name, ...error }] : [],
      ),
    ),
  };
}

function figuresOf(combines: readonly Combine[], rows: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(rows[0]?.length ?? 0).fill(0);
  for (const row of rows) row.forEach((value, column) => (sums[column]! += value));
  return combines.map((combine) => combine(sums, rows.length));
}

function byMeasure<T>(measures: readonly Measure[], valueOf: (index: number) => T): Record<string, T> {
  return Object.fromEntries(measures.map(({ id }, i) => [id, valueOf(i)]));
}

function figure(value: number, { low, high }: { low: number; high: number }): Figure {
  return { value: finiteOrNull(value), low: finiteOrNull(low), high: finiteOrNull(high) };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** What a report shows: of a mask the box around it, of judged places the best. */
function labelsOf(photo: Photo & { readonly size: Size }): PhotoLabels {
  if ('boxes' in photo) return { boxes: photo.boxes };
  if ('crops' in photo) return { crops: photo.crops };
  if ('mask' in photo) return { boxes: [subjectBox(photo.mask, photo.size)] };
  if ('judgement' in photo) return { boxes: [judgedBox(photo, photo.judgement.best)] };
  return 'pairs' in photo ? { pairs: photo.pairs } : { elements: photo.elements };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
