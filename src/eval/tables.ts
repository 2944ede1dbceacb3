import { extname } from 'node:path';
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
  const digits = (value: number | null): string => (value === null ? 'n/a' : value.toFixed(3));
  const rows = [
    ['method', ...shown.map(({ label }) => label), 'unusable'],
    ...result.methods.map(({ name, figures, nUnusable }) => [
      name,
      ...shown.map(({ id }) => {
        const { value, low, high } = figures[id]!;
        return low === null ? digits(value) : `${digits(value)} [${digits(low)}, ${digits(high)}]`;
      }),
      String(nUnusable),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const { name, nPhotos, split } = result.dataset;
  return `${name}${split === null ? '' : `, ${split}`}: ${nPhotos} photos, 95 % intervals\n${rows.map(line).join('\n')}\n`;
}

/** `a.csv` for the figures goes with `a.photos.csv` for the photos. */
export function photosCsvPath(path: string): string {
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}.photos${extension || '.csv'}`;
}

/** RFC 4180; an undetermined figure is an empty cell. */
function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('');
}
