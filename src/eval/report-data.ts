import { defined } from '../base/defined.js';
import type { Box, Point } from '../base/geometry.js';
import type { Thumbnail } from '../report/thumbnail.js';
import type { EvaluationResult, PhotoLabels, PhotoResult } from './aggregate.js';
import type { LabelledElement } from './datasets/types.js';
import { MAIN_GROUPS, MEASURES } from './measures.js';
import type { Prediction } from './prediction.js';

/** A line over a photo, in label space. */
export interface Shape {
  readonly points: readonly Point[];
  readonly isClosed: boolean;
  readonly title?: string;
  /** The crop of a judged pair that lost. */
  readonly isLoser?: true;
}

interface ReportPhoto {
  readonly id: string;
  readonly size: readonly [number, number];
  /** Width over height of the picture, which label space need not have. */
  readonly aspect: number;
  /** Data URI. */
  readonly thumbnail?: string;
  readonly labels: readonly Shape[];
  readonly methods: readonly {
    readonly shapes: readonly Shape[];
    /** By figure of the main groups. */
    readonly scores: Readonly<Record<string, number | null>>;
    readonly unusable?: string;
  }[];
}

/** What the scripts of a report read (report/eval). */
export interface ReportData extends Omit<EvaluationResult, 'photos'> {
  /** Groups of figures shown first. */
  readonly mainGroups: readonly string[];
  readonly photos: readonly ReportPhoto[];
}

export function reportData(result: EvaluationResult, thumbnails: ReadonlyMap<string, Thumbnail>): ReportData {
  const { photos, ...rest } = result;
  const shown = result.measures.filter(({ group }) => MAIN_GROUPS.includes(group));
  return {
    ...rest,
    mainGroups: MAIN_GROUPS,
    photos: photos.map((photo) => {
      const thumbnail = thumbnails.get(photo.id);
      return {
        id: photo.id,
        size: [photo.size.width, photo.size.height],
        aspect: thumbnail ? thumbnail.width / thumbnail.height : photo.size.width / photo.size.height,
        ...(thumbnail ? { thumbnail: thumbnail.uri } : {}),
        labels: labelShapes(photo.labels),
        methods: photo.predictions.map(({ prediction, scores }) => ({
          shapes: predictionShapes(prediction, photo.labels),
          scores: Object.fromEntries(shown.map(({ id }) => [id, rounded(scores[id] ?? null)])),
          ...('unusable' in prediction ? { unusable: prediction.unusable } : {}),
        })),
      };
    }),
  };
}

/** Photos by falling error in the data set's first figure, averaged over the methods. */
export function worstFirst(result: EvaluationResult): PhotoResult[] {
  const [{ id, better }] = MEASURES[result.dataset.kind] as [(typeof MEASURES)['boxes'][number]];
  const sign = better === 'higher' ? 1 : -1;
  const score = ({ predictions }: PhotoResult): number =>
    predictions.reduce((sum, { scores }) => sum + sign * (scores[id] ?? 0), 0);
  return [...result.photos].sort((a, b) => score(a) - score(b));
}

function labelShapes(labels: PhotoLabels): Shape[] {
  if ('boxes' in labels) return labels.boxes.map((box) => boxShape(box));
  if ('elements' in labels) return labels.elements.flatMap(elementShapes);
  if ('pairs' in labels) {
    return labels.pairs.flatMap(({ boxes, votes }) => {
      const [winner, loser] = votes[0] > votes[1] ? [0, 1] : [1, 0];
      const title = `${votes[winner]!} votes to ${votes[loser]!}`;
      return [boxShape(boxes[winner]!, title), { ...boxShape(boxes[loser]!, title), isLoser: true as const }];
    });
  }
  const best = labels.crops.reduce((top, crop) => (crop.mos > top.mos ? crop : top));
  return [boxShape(best.box, `best rated, MOS ${best.mos}`)];
}

function predictionShapes(prediction: Prediction, labels: PhotoLabels): Shape[] {
  if ('boxes' in prediction) return [boxShape(prediction.boxes[0]!)];
  if ('elements' in prediction) return prediction.elements.flatMap(elementShapes);
  if (!('scores' in prediction) || !('crops' in labels)) return [];
  const { scores } = prediction;
  const top = scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0);
  const crop = labels.crops[top];
  return crop ? [boxShape(crop.box, `ranked first, MOS ${crop.mos}`)] : [];
}

function boxShape([x1, y1, x2, y2]: Box, title?: string): Shape {
  const points: Point[] = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ];
  return { points, isClosed: true, ...defined({ title }) };
}

function elementShapes(element: LabelledElement): Shape[] {
  const title = element.type;
  if ('box' in element) return [boxShape(element.box, title)];
  if ('points' in element) return [{ points: element.points, isClosed: element.type === 'triangle', title }];
  const lines = 'line' in element ? [element.line] : element.lines;
  return lines.map(([x1, y1, x2, y2]) => ({
    points: [
      [x1, y1],
      [x2, y2],
    ],
    isClosed: false,
    title,
  }));
}

/** Digits beyond what a chart can show, times thousands of photos, would make up most of the page. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toFixed(6));
}
