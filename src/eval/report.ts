import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { packageFile } from '../package-root.js';
import type { EvaluationResult, PhotoResult } from './aggregate.js';
import { reportData, worstFirst, type Thumbnail } from './report-data.js';

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
  const [page, style, script, chartLibrary] = await Promise.all([
    readFile(packageFile('report', 'page.html'), 'utf8'),
    readFile(packageFile('report', 'page.css'), 'utf8'),
    readFile(packageFile('report', 'page.js'), 'utf8'),
    readFile(chartLibraryPath(), 'utf8'),
  ]);
  const { dataset, methods } = result;
  const parts: Readonly<Record<string, string>> = {
    title: escapeHtml(`${dataset.name}: ${methods.map(({ name }) => name).join(', ')}`),
    style,
    data: JSON.stringify(reportData(result, thumbnails)).replaceAll('<', '\\u003c'),
    chartLibrary: inScript(chartLibrary.replace(/^\/\/# sourceMappingURL=.*$/m, '')),
    script: inScript(script),
  };
  return page.replace(/\{\{(\w+)\}\}/g, (placeholder, name: string) => parts[name] ?? placeholder);
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
      const thumbnail = await makeThumbnail(photo.path!);
      if (thumbnail) thumbnails.set(photo.id, thumbnail);
    }
  };
  await Promise.all(Array.from({ length: THUMBNAILS_AT_ONCE }, worker));
  return thumbnails;
}

/** A photo that cannot be decoded is shown as its boxes alone; the failure itself is among the result's errors. */
async function makeThumbnail(path: string): Promise<Thumbnail | undefined> {
  try {
    const { data, info } = await sharp(path)
      .autoOrient()
      .resize(THUMBNAIL_SIDE, THUMBNAIL_SIDE, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .jpeg({ quality: 70 })
      .toBuffer({ resolveWithObject: true });
    return { uri: `data:image/jpeg;base64,${data.toString('base64')}`, aspect: info.width / info.height };
  } catch {
    return undefined;
  }
}

/** The build of Chart.js for pages, beside the one Node would load. */
function chartLibraryPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');
}

function inScript(code: string): string {
  return code.replaceAll('</script', '<\\/script');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
