import { counted } from '../base/counted.js';
import type { Photo } from '../photo/decode.js';
import type { CropResult } from '../base/schema.js';
import { kindsOf, reportPhoto, type CropReportData, type Failure } from './crop-report-data.js';
import { fillPage } from './page.js';
import { makeThumbnail } from './thumbnail.js';

/**
 * The more photos, the smaller their pictures, so that the page stays one a browser opens at once: 300 photos (the
 * examples over and over, 40 kB each at 560 px) make 12 MB. Photos beyond the last row come without a picture.
 */
const THUMBNAIL_SIDES = [
  { upTo: 40, sidePx: 1200 },
  { upTo: 150, sidePx: 800 },
  { upTo: 600, sidePx: 560 },
  { upTo: 2000, sidePx: 320 },
  { upTo: 6000, sidePx: 200 },
] as const;

export interface CropReportOptions {
  /** Photos the run is going to crop. */
  readonly nPlanned: number;
  readonly isDryRun?: boolean;
}

/** Gathers the crops of a run photo by photo and makes one HTML page of them that needs nothing else. */
export class CropReport {
  readonly #options: CropReportOptions;
  readonly #photos: CropReportData['photos'][number][] = [];
  readonly #failures: Failure[] = [];
  readonly #refused: Failure[] = [];
  readonly #engines = new Set<string>();
  /** Of the first crop; null once another has none. */
  #model: string | null | undefined;

  constructor(options: CropReportOptions) {
    this.#options = options;
  }

  /** @param results of one photo, one for each target. */
  async add(path: string, photo: Photo, results: readonly CropResult[], signal?: AbortSignal): Promise<void> {
    for (const { engine, model } of results) {
      this.#engines.add(engine);
      this.#model = model ? (this.#model === undefined ? model.name : this.#model) : null;
    }
    const sidePx = thumbnailSide(this.#options.nPlanned, this.#photos.length);
    const thumbnail = sidePx === undefined ? undefined : await makeThumbnail(photo, sidePx, signal);
    this.#photos.push(reportPhoto(path, results, thumbnail));
  }

  fail(failure: Failure): void {
    this.#failures.push(failure);
  }

  /** A ratio or size that no crop of a photo meets. */
  refuse(failure: Failure): void {
    this.#refused.push(failure);
  }

  async render(createdAt = new Date()): Promise<string> {
    const data: CropReportData = {
      folder: process.cwd(),
      createdAt: createdAt.toISOString(),
      engine: this.#engines.size > 0 ? [...this.#engines].join(', ') : 'none',
      model: this.#model ?? null,
      nPlanned: this.#options.nPlanned,
      isDryRun: this.#options.isDryRun ?? false,
      kinds: kindsOf(this.#photos),
      photos: this.#photos,
      failures: this.#failures,
      refused: this.#refused,
    };
    return fillPage('crops', {
      title: `${counted(this.#photos.length, 'photo')}, cropped`,
      data,
      modules: { cropBox: 'crop-box.js' },
      scripts: ['layers.js', 'pictures.js', 'memory.js', 'picks.js', 'mover.js', 'detail.js', 'cards.js', 'gallery.js'],
    });
  }
}

export function thumbnailSide(nPhotos: number, index: number): number | undefined {
  const row = THUMBNAIL_SIDES.find(({ upTo }) => nPhotos <= upTo) ?? THUMBNAIL_SIDES.at(-1)!;
  return index < row.upTo ? row.sidePx : undefined;
}
