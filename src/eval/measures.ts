import { ELEMENT_KINDS, type ElementKind } from '../schema.js';
import type { Dataset, DatasetKind, ElementsPhoto } from './datasets/types.js';
import { cropAgreement, RECALL_IOU, UNUSABLE_CROP } from './metrics/crops.js';
import { pearson, spearman } from './metrics/correlation.js';
import { matchedErrors } from './metrics/localisation.js';
import { swapAccuracy } from './metrics/pairs.js';
import { BEST_CROPS, RETURNED_CROPS, topAccuracy, weightedTopAccuracy } from './metrics/ranking.js';
import type { Prediction } from './prediction.js';

export type Photo = Dataset['photos'][number];

/** One figure: what each photo adds to its sums, and how the sums make it. */
export interface Measure {
  readonly id: string;
  readonly label: string;
  /** Figures of one group share a chart. */
  readonly group: string;
  readonly better: 'higher' | 'lower';
  readonly combine: (sums: readonly number[], n: number) => number;
}

/** The rows of a photo, by measure. */
export type PhotoRows = Readonly<Record<string, readonly number[]>>;

const mean = (sums: readonly number[], n: number): number => sums[0]! / n;

function meanMeasure(id: string, label: string, group: string, better: Measure['better'] = 'higher'): Measure {
  return { id, label, group, better, combine: mean };
}

const BOX_MEASURES: readonly Measure[] = [
  meanMeasure('bestIou', 'IoU, best annotator', 'Overlap with the annotators'),
  meanMeasure('meanIou', 'IoU, mean over annotators', 'Overlap with the annotators'),
  meanMeasure('recall', `recall (IoU ≥ ${RECALL_IOU})`, 'Overlap with the annotators'),
  meanMeasure('bde', 'BDE', 'Boundary displacement', 'lower'),
];

const RANKING_MEASURES: readonly Measure[] = [
  ...BEST_CROPS.flatMap((n) => [
    meanMeasure(`acc${n}`, `Acc${n}`, 'Accuracy of the crops returned'),
    ...RETURNED_CROPS.map((k) => meanMeasure(`acc${k}of${n}`, `Acc${k}/${n}`, `Acc K/${n}`)),
    meanMeasure(`wacc${n}`, `wAcc${n}`, 'Accuracy of the crops returned'),
    ...RETURNED_CROPS.map((k) => meanMeasure(`wacc${k}of${n}`, `wAcc${k}/${n}`, `wAcc K/${n}`)),
  ]),
  meanMeasure('srcc', 'SRCC', 'Correlation with the ratings'),
  meanMeasure('pcc', 'PCC', 'Correlation with the ratings'),
];

const PAIR_MEASURES: readonly Measure[] = [meanMeasure('swapAccuracy', 'swap accuracy', 'Pairs in the right order')];

/** Per class: hits, false alarms, misses of the class in the photo. */
const COUNTS = 3;
const f1 = ([hits = 0, alarms = 0, misses = 0]: readonly number[]): number =>
  hits + alarms + misses > 0 ? (2 * hits) / (2 * hits + alarms + misses) : NaN;
const precision = ([hits = 0, alarms = 0]: readonly number[]): number =>
  hits + alarms > 0 ? hits / (hits + alarms) : NaN;
const recall = ([hits = 0, , misses = 0]: readonly number[]): number =>
  hits + misses > 0 ? hits / (hits + misses) : NaN;
/** The mean over the classes that were labelled or predicted at all. */
const macro =
  (figure: (counts: readonly number[]) => number) =>
  (sums: readonly number[]): number => {
    const figures = ELEMENT_KINDS.map((_, i) => figure(sums.slice(i * COUNTS, (i + 1) * COUNTS))).filter(
      (value) => !Number.isNaN(value),
    );
    return figures.length > 0 ? figures.reduce((sum, value) => sum + value, 0) / figures.length : NaN;
  };
const ratio = ([total = 0, n = 0]: readonly number[]): number => (n > 0 ? total / n : NaN);

const ELEMENT_MEASURES: readonly Measure[] = [
  { id: 'macroF1', label: 'F1, macro', group: 'Classes named', better: 'higher', combine: macro(f1) },
  {
    id: 'macroPrecision',
    label: 'precision, macro',
    group: 'Classes named',
    better: 'higher',
    combine: macro(precision),
  },
  { id: 'macroRecall', label: 'recall, macro', group: 'Classes named', better: 'higher', combine: macro(recall) },
  { id: 'localisation', label: 'localisation error', group: 'Localisation error', better: 'lower', combine: ratio },
  { id: 'matched', label: 'labels with a match', group: 'Labels with a match', better: 'higher', combine: ratio },
  ...ELEMENT_KINDS.flatMap((kind): Measure[] => [
    { id: `f1.${kind}`, label: kind, group: 'F1 by class', better: 'higher', combine: f1 },
    { id: `precision.${kind}`, label: kind, group: 'Precision by class', better: 'higher', combine: precision },
    { id: `recall.${kind}`, label: kind, group: 'Recall by class', better: 'higher', combine: recall },
    { id: `localisation.${kind}`, label: kind, group: 'Localisation error by class', better: 'lower', combine: ratio },
  ]),
];

export const MEASURES: Readonly<Record<DatasetKind, readonly Measure[]>> = {
  boxes: BOX_MEASURES,
  ranking: RANKING_MEASURES,
  pairs: PAIR_MEASURES,
  elements: ELEMENT_MEASURES,
};

/** Photo and prediction belong together; an unusable prediction is worth the worst, never left out. */
export function scorePhoto(photo: Photo, prediction: Prediction): PhotoRows {
  if ('boxes' in photo) {
    const first = 'boxes' in prediction ? prediction.boxes[0] : undefined;
    const { bestIou, bde, meanIou } = first ? cropAgreement(first, photo.boxes, photo.size) : UNUSABLE_CROP;
    return { bestIou: [bestIou], meanIou: [meanIou], recall: [bestIou >= RECALL_IOU ? 1 : 0], bde: [bde] };
  }
  if ('crops' in photo) {
    const mos = photo.crops.map((crop) => crop.mos);
    return rankingRows(mos, 'scores' in prediction ? prediction.scores : undefined);
  }
  if ('pairs' in photo) {
    return { swapAccuracy: ['scores' in prediction ? swapAccuracy(photo.pairs, prediction.scores) : 0] };
  }
  return elementRows(photo, 'elements' in prediction ? prediction.elements : []);
}

function rankingRows(mos: readonly number[], predicted: readonly number[] | undefined): PhotoRows {
  const rows: Record<string, number[]> = {
    srcc: [predicted ? spearman(mos, predicted) : 0],
    pcc: [predicted ? pearson(mos, predicted) : 0],
  };
  for (const n of BEST_CROPS) {
    const shares = predicted ? topAccuracy(mos, predicted, n) : RETURNED_CROPS.map(() => 0);
    const weighted = predicted ? weightedTopAccuracy(mos, predicted, n) : RETURNED_CROPS.map(() => 0);
    RETURNED_CROPS.forEach((k, i) => {
      rows[`acc${k}of${n}`] = [shares[i]!];
      rows[`wacc${k}of${n}`] = [weighted[i]!];
    });
    rows[`acc${n}`] = [average(shares)];
    rows[`wacc${n}`] = [average(weighted)];
  }
  return rows;
}

function elementRows(photo: ElementsPhoto, predicted: ElementsPhoto['elements']): PhotoRows {
  const rows: Record<string, readonly number[]> = {};
  const allCounts: number[] = [];
  let [totalError, nMatched] = [0, 0];
  for (const kind of ELEMENT_KINDS) {
    const counts = presence(kind, photo.elements, predicted);
    rows[`f1.${kind}`] = rows[`precision.${kind}`] = rows[`recall.${kind}`] = counts;
    allCounts.push(...counts);
    const ofKind = (elements: ElementsPhoto['elements']): ElementsPhoto['elements'] =>
      elements.filter(({ type }) => type === kind);
    const errors = photo.size ? matchedErrors(ofKind(predicted), ofKind(photo.elements), photo.size) : [];
    const sum = errors.reduce((total, error) => total + error, 0);
    rows[`localisation.${kind}`] = [sum, errors.length];
    totalError += sum;
    nMatched += errors.length;
  }
  rows.macroF1 = rows.macroPrecision = rows.macroRecall = allCounts;
  rows.localisation = [totalError, nMatched];
  rows.matched = [nMatched, photo.elements.length];
  return rows;
}

function presence(
  kind: ElementKind,
  labelled: ElementsPhoto['elements'],
  predicted: ElementsPhoto['elements'],
): [hits: number, alarms: number, misses: number] {
  const isLabelled = labelled.some(({ type }) => type === kind);
  const isPredicted = predicted.some(({ type }) => type === kind);
  return [isLabelled && isPredicted ? 1 : 0, isPredicted && !isLabelled ? 1 : 0, isLabelled && !isPredicted ? 1 : 0];
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
