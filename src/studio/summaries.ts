import { defined } from '../base/defined.js';
import type { CropSummary, EditHistory, PhotoSummary, TargetKey } from './api.js';
import type { Library, LibraryPhoto } from './library/library.js';
import { standingCrop, stateOf } from './state/photo-crops.js';
import type { StudioLog } from './state/studio-log.js';
import type { CropRuns } from './runs/crop-runs.js';

/** Photos as the page lists them. */
export class Summaries {
  readonly #library: Library;
  readonly #log: StudioLog;
  readonly #runs: CropRuns;

  constructor(library: Library, log: StudioLog, runs: CropRuns) {
    this.#library = library;
    this.#log = log;
    this.#runs = runs;
  }

  all(): PhotoSummary[] {
    return this.#library.photos.map((photo) => this.of(photo));
  }

  /** Of those that are still in the folder. */
  ofNames(names: readonly string[]): PhotoSummary[] {
    return names.flatMap((name) => {
      const photo = this.#library.find(this.#library.idOf(name));
      return photo ? [this.of(photo)] : [];
    });
  }

  of({ id, name, nBytes, modifiedMs }: LibraryPhoto): PhotoSummary {
    const crops: Record<TargetKey, CropSummary> = {};
    for (const [target, each] of this.#log.state.cropsOf(name)) {
      const crop = standingCrop(each);
      if (crop) crops[target] = crop;
    }
    return {
      ...{ id, name, nBytes, modifiedMs },
      version: `${Math.round(modifiedMs).toString(36)}-${nBytes.toString(36)}`,
      state: stateOf(Object.values(crops)),
      crops,
      ...defined({ failure: this.#runs.failureOf(name) }),
    };
  }

  history(): EditHistory {
    return this.#log.state.history((name) => this.#library.idOf(name));
  }
}
