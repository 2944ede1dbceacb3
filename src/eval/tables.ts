import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { FramewrightError, messageOf } from '../errors.js';
import type { EvaluationResult } from './aggregate.js';

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

/** Writes beside the target and renames, so that no half file is ever at `path`. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new FramewrightError('OUTPUT_WRITE', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}
