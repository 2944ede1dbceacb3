import type { Box, Size } from '../base/geometry.js';
import { ELEMENT_KINDS } from '../base/schema.js';
import type { Dataset, DatasetKind, ElementsPhoto } from './datasets/types.js';
import { cropAgreement, RECALL_IOU, UNUSABLE_CROP } from './metrics/crops.js';
import { pearson, spearman } from './metrics/correlation.js';
import type { Combine } from '../base/intervals.js';
import { matchedErrors } from './metrics/localisation.js';
import { swapAccuracy } from './metrics/pairs.js';
import type { Measure } from './measure.js';
import { BEST_CROPS, RETURNED_CROPS, topAccuracy, weightedTopAccuracy } from './metrics/ranking.js';
import type { Prediction } from './prediction.js';
import { PLACES_MEASURES, placesRow, SUBJECT_MEASURES, subjectRow } from './ratio-measures.js';

export type Photo = Dataset['photos'][number];

type MeanMeasure = readonly [id: string, label: string, group: string, better?: Measure['better']];

/** Means over the photos of one column each, in the columns' order. */
function meanMeasures(measures: readonly MeanMeasure[]): Measure[] {
  return measures.map(([id, label, group, better = 'higher'], column) => ({
    id,
    label,
    group,
    better,
    combine: (sums, n) => sums[column]! / n,
  }));
}

const BOX_MEASURES = meanMeasures([
  ['bestIou', 'IoU, best annotator', 'Overlap with the annotators'],
  ['meanIou', 'IoU, mean over annotators', 'Overlap with the annotators'],
  ['recall', `recall (IoU ≥ ${RECALL_IOU})`, 'Overlap with the annotators'],
  ['bde', 'BDE', 'Boundary displacement', 'lower'],
]);

const RANKING_MEASURES = meanMeasures([
  ...BEST_CROPS.flatMap((n): MeanMeasure[] => [
    [`acc${n}`, `Acc${n}`, 'Accuracy of the crops returned'],
    [`wacc${n}`, `wAcc${n}`, 'Accuracy of the crops returned'],
    ...RETURNED_CROPS.map((k): MeanMeasure => [`acc${k}of${n}`, `Acc${k}/${n}`, `Acc K/${n}`]),
    ...RETURNED_CROPS.map((k): MeanMeasure => [`wacc${k}of${n}`, `wAcc${k}/${n}`, `wAcc K/${n}`]),
  ]),
  ['srcc', 'SRCC', 'Correlation with the ratings'],
  ['pcc', 'PCC', 'Correlation with the ratings'],
]);

const PAIR_MEASURES = meanMeasures([['swapAccuracy', 'swap accuracy', 'Pairs in the right order']]);

/**
 * Columns of each class of element: the class is in the photo and named, named only, in the photo only; then the summed
 * localisation error and the number of its matched elements. After the classes: labelled elements of any class.
 */
const CLASS_COLUMNS = 5;
const LABELLED_COLUMN = ELEMENT_KINDS.length * CLASS_COLUMNS;

type ClassFigure = (columns: readonly number[]) => number;
const share = (part: number, whole: number): number => (whole > 0 ? part / whole : NaN);
const f1: ClassFigure = ([hits = 0, alarms = 0, misses = 0]) => share(2 * hits, 2 * hits + alarms + misses);
const precision: ClassFigure = ([hits = 0, alarms = 0]) => share(hits, hits + alarms);
const recall: ClassFigure = ([hits = 0, , misses = 0]) => share(hits, hits + misses);
const localisation: ClassFigure = ([, , , error = 0, nMatched = 0]) => share(error, nMatched);

function ofClass(figure: ClassFigure, index: number): Combine {
  return (sums) => figure(sums.slice(index * CLASS_COLUMNS, (index + 1) * CLASS_COLUMNS));
}

/** The mean over the classes for which the photos determine the figure. */
function macro(figure: ClassFigure): Combine {
  const figures = ELEMENT_KINDS.map((_, index) => ofClass(figure, index));
  return (sums, n) => {
    const values = figures.map((combine) => combine(sums, n)).filter((value) => !Number.isNaN(value));
    return share(sumOf(values), values.length);
  };
}

function sumOfColumn(sums: readonly number[], column: number): number {
  return sumOf(ELEMENT_KINDS.map((_, index) => sums[index * CLASS_COLUMNS + column]!));
}

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
  {
    id: 'localisation',
    label: 'localisation error',
    group: 'Localisation error',
    better: 'lower',
    combine: (sums) => share(sumOfColumn(sums, 3), sumOfColumn(sums, 4)),
  },
  {
    id: 'matched',
    label: 'labels with a match',
    group: 'Labels with a match',
    better: 'higher',
    combine: (sums) => share(sumOfColumn(sums, 4), sums[LABELLED_COLUMN]!),
  },
  ...ELEMENT_KINDS.flatMap((kind, index): Measure[] => [
    { id: `f1.${kind}`, label: kind, group: 'F1 by class', better: 'higher', combine: ofClass(f1, index) },
    {
      id: `precision.${kind}`,
      label: kind,
      group: 'Precision by class',
      better: 'higher',
      combine: ofClass(precision, index),
    },
    { id: `recall.${kind}`, label: kind, group: 'Recall by class', better: 'higher', combine: ofClass(recall, index) },
    {
      id: `localisation.${kind}`,
      label: kind,
      group: 'Localisation error by class',
      better: 'lower',
      combine: ofClass(localisation, index),
    },
  ]),
];

export const MEASURES: Readonly<Record<DatasetKind, readonly Measure[]>> = {
  boxes: BOX_MEASURES,
  ranking: RANKING_MEASURES,
  pairs: PAIR_MEASURES,
  elements: ELEMENT_MEASURES,
  subjects: SUBJECT_MEASURES,
  places: PLACES_MEASURES,
};

/** The figures a reader looks for first; the rest is by class or by K. */
export const MAIN_GROUPS: readonly string[] = [
  'Overlap with the annotators',
  'Boundary displacement',
  'Accuracy of the crops returned',
  'Correlation with the ratings',
  'Pairs in the right order',
  'Classes named',
  'Localisation error',
  'Labels with a match',
  'Subject cut though avoidable',
  'Share lost of what could be held',
  'Size against the largest crop of the ratio',
  'Subject cut though avoidable, by ratio',
  'Nearest to a place called undeliverable',
  'Distance to the nearer of best and second',
  'Nearest to the best place',
];

/**
 * The photo's row, one number a column of its kind's measures. Photo and prediction belong together; an unusable
 * prediction is worth the worst, never left out.
 */
export function scorePhoto(photo: Photo & { readonly size: Size }, prediction: Prediction): number[] {
  if ('boxes' in photo) {
    const first = firstBox(prediction);
    const { bestIou, bde, meanIou } = first ? cropAgreement(first, photo.boxes, photo.size) : UNUSABLE_CROP;
    return [bestIou, meanIou, bestIou >= RECALL_IOU ? 1 : 0, bde];
  }
  if ('mask' in photo) return subjectRow(photo, firstBox(prediction));
  if ('judgement' in photo) return placesRow(photo, firstBox(prediction));
  if ('crops' in photo) {
    if (!('scores' in prediction)) return RANKING_MEASURES.map(() => 0);
    return rankingRow(
      photo.crops.map(({ mos }) => mos),
      prediction.scores,
    );
  }
  if ('pairs' in photo) return ['scores' in prediction ? swapAccuracy(photo.pairs, prediction.scores) : 0];
  return elementRow(photo, 'elements' in prediction ? prediction.elements : []);
}

function firstBox(prediction: Prediction): Box | undefined {
  return 'boxes' in prediction ? prediction.boxes[0] : undefined;
}

function rankingRow(mos: readonly number[], predicted: readonly number[]): number[] {
  const accuracies = BEST_CROPS.flatMap((n) => {
    const shares = topAccuracy(mos, predicted, n);
    const weighted = weightedTopAccuracy(mos, predicted, n);
    return [sumOf(shares) / shares.length, sumOf(weighted) / weighted.length, ...shares, ...weighted];
  });
  return [...accuracies, spearman(mos, predicted), pearson(mos, predicted)];
}

function elementRow({ elements: labelled, size }: ElementsPhoto, predicted: ElementsPhoto['elements']): number[] {
  const columns = ELEMENT_KINDS.flatMap((kind) => {
    const theirs = labelled.filter(({ type }) => type === kind);
    const mine = predicted.filter(({ type }) => type === kind);
    const [isLabelled, isNamed] = [theirs.length > 0, mine.length > 0];
    const errors = size ? matchedErrors(mine, theirs, size) : [];
    const counts = [isLabelled && isNamed, isNamed && !isLabelled, isLabelled && !isNamed].map(Number);
    return [...counts, sumOf(errors), errors.length];
  });
  return [...columns, labelled.length];
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
