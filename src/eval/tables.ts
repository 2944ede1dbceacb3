import { extname } from 'node:path';
import { counted } from '../base/counted.js';
import { csv } from '../base/csv.js';
import { figureText } from '../base/intervals.js';
import { alignedLines } from '../base/text-table.js';
import type { EvaluationResult } from './aggregate.js';
import { MAIN_GROUPS } from './measures.js';

/** One line a method and measure: `method,measure,value,low,high,photos,unusable`. */
export function figuresCsv(result: EvaluationResult): string {
  const rows = result.methods.flatMap((method) =>
    result.measures.map(({ id }) => {
      const { value, low, high } = method.figures[id]!;
      return [method.name, id, value, low, high, result.dataset.nPhotos, method.nUnusable];
    }),
  );
  return csv([['method', 'measure', 'value', 'low', 'high', 'photos', 'unusable'], ...rows]);
}

/** One line a photo, method and measure: `photo,method,measure,value`. */
export function photosCsv(result: EvaluationResult): string {
  const rows = result.photos.flatMap((photo) =>
    photo.predictions.flatMap(({ scores }, m) =>
      result.measures.map(({ id }) => [photo.id, result.methods[m]!.name, id, scores[id] ?? null]),
    ),
  );
  return csv([['photo', 'method', 'measure', 'value'], ...rows]);
}

/** The main figures with their intervals, aligned for a terminal. */
export function figuresText(result: EvaluationResult): string {
  const shown = result.measures.filter(({ group }) => MAIN_GROUPS.includes(group));
  const rows = [
    ['method', ...shown.map(({ label }) => label), 'unusable'],
    ...result.methods.map(({ name, figures, nUnusable }) => [
      name,
      ...shown.map(({ id }) => figureText(figures[id]!)),
      String(nUnusable),
    ]),
  ];
  const { name, nPhotos, split } = result.dataset;
  return `${name}${split === null ? '' : `, ${split}`}: ${counted(nPhotos, 'photo')}, 95 % intervals\n${alignedLines(rows).join('\n')}\n`;
}

/** `a.csv` for the figures goes with `a.photos.csv` for the photos. */
export function photosCsvPath(path: string): string {
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}.photos${extension || '.csv'}`;
}
