import { readFile } from 'node:fs/promises';
import { decodePhoto } from '../photo/decode.js';
import { packageFile } from '../files/package-root.js';
import { fillPage } from '../report/page.js';
import { makeThumbnail, type Thumbnail } from '../report/thumbnail.js';
import type { EvaluationResult, PhotoResult } from './aggregate.js';
import { reportData, worstFirst } from './report-data.js';

export interface ReportOptions {
  /** Photos whose picture goes into the page, the worst first. Default 500, about 10 kB each. */
  readonly maxThumbnails?: number;
  readonly signal?: AbortSignal;
}

const THUMBNAIL_SIDE = 320;
const THUMBNAILS_AT_ONCE = 4;

/** One HTML page that needs nothing else: charts, tables and a gallery of the photos with every box drawn. */
export async function renderReport(
  result: EvaluationResult,
  { maxThumbnails = 500, signal }: ReportOptions = {},
): Promise<string> {
  const thumbnails = await makeThumbnails(worstFirst(result).slice(0, maxThumbnails), signal);
  const { dataset, methods } = result;
  // Chart.js's build for pages; scripts/vendor-chart.mjs puts it there.
  const chartLibrary = await readFile(packageFile('dist', 'vendor', 'chart.umd.min.js'), 'utf8');
  return fillPage('eval', {
    title: `${dataset.name}: ${methods.map(({ name }) => name).join(', ')}`,
    data: reportData(result, thumbnails),
    libraries: [chartLibrary.replace(/^\/\/# sourceMappingURL=.*$/m, '')],
    scripts: [
      'methods.js',
      'figures.js',
      'charts.js',
      'head.js',
      'tables.js',
      'groups.js',
      'ablations.js',
      'sweeps.js',
      'paired.js',
      'spread.js',
      'gallery.js',
    ],
  });
}

async function makeThumbnails(
  photos: readonly PhotoResult[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Thumbnail>> {
  const thumbnails = new Map<string, Thumbnail>();
  const queue = photos.filter(({ path }) => path !== undefined);
  const worker = async (): Promise<void> => {
    for (let photo = queue.pop(); photo; photo = queue.pop()) {
      signal?.throwIfAborted();
      const thumbnail = await thumbnailOf(photo.path!);
      if (thumbnail) thumbnails.set(photo.id, thumbnail);
    }
  };
  await Promise.all(Array.from({ length: THUMBNAILS_AT_ONCE }, worker));
  return thumbnails;
}

/** A photo that cannot be decoded is shown as its boxes alone; the failure itself is among the result's errors. */
async function thumbnailOf(path: string): Promise<Thumbnail | undefined> {
  try {
    return await makeThumbnail(await decodePhoto(path), THUMBNAIL_SIDE);
  } catch {
    return undefined;
  }
}
