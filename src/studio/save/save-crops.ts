import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defined } from '../../base/defined.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { contentHash } from '../../batch/journal/content-hash.js';
import type { BatchOptions } from '../../batch/options.js';
import { filesOf, type PlannedPhoto } from '../../batch/plan/planned-photo.js';
import { runBatch } from '../../batch/run-batch.js';
import { writeFileAtomic } from '../../files/write.js';
import type { SaveAnswer, TargetKey } from '../api.js';
import type { Library, LibraryPhoto } from '../library/library.js';
import { standingCrop, type TargetCrops } from '../state/photo-crops.js';
import type { StudioLog } from '../state/studio-log.js';
import { choiceLine, type StandingCrop } from './choices.js';

/** How files are written; as of a run. */
export type SaveOptions = Pick<
  BatchOptions,
  'format' | 'quality' | 'strip' | 'name' | 'xmp' | 'keepTime' | 'maxPixels'
>;

interface ToSave extends StandingCrop {
  readonly saved: TargetCrops['saved'];
}

export interface SaverOptions {
  readonly library: Library;
  readonly log: StudioLog;
  /** Absolute. */
  readonly output: string;
  readonly options: SaveOptions;
}

export interface SaveWhat {
  readonly photos: readonly LibraryPhoto[];
  /** Undefined: all there are. */
  readonly targets: readonly TargetKey[] | undefined;
  /** Also over files that are not the studio's. */
  readonly replace: boolean;
}

/** Writes crops as `framewright crop --choices` does. One save at a time. */
export class Saver {
  readonly #options: SaverOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /**
   * What the studio wrote and nobody has changed since is replaced; other files in the way are named and nothing is written.
   *
   * @throws FramewrightError OUTPUT_WRITE and as runBatch
   */
  save(what: SaveWhat, signal: AbortSignal): Promise<SaveAnswer> {
    const saved = this.#last.then(() => this.#save(what, signal));
    this.#last = saved.catch(() => undefined);
    return saved;
  }

  async #save({ photos, targets, replace }: SaveWhat, signal: AbortSignal): Promise<SaveAnswer> {
    const crops = photos.flatMap((photo) => this.#cropsOf(photo, targets));
    if (crops.length === 0) throw new FramewrightError('USAGE', 'none of these photos has a crop yet');
    const scratch = await mkdtemp(path.join(tmpdir(), 'framewright-studio-'));
    try {
      const runs = await this.#runsOf(crops, scratch);
      const inWay = await Promise.all(runs.map((run) => this.#inWay(run, signal)));
      const foreign = inWay.flatMap((files) => files.foreign);
      if (foreign.length > 0 && !replace) return { files: [], existing: foreign, failures: [] };
      const answers: SaveAnswer[] = [];
      for (const [i, run] of runs.entries()) {
        answers.push(await this.#write(run, inWay[i]!.own.length + inWay[i]!.foreign.length > 0, signal));
      }
      return {
        files: answers.flatMap(({ files }) => files),
        existing: [],
        failures: answers.flatMap(({ failures }) => failures),
      };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  #cropsOf(photo: LibraryPhoto, targets: readonly TargetKey[] | undefined): ToSave[] {
    const crops = this.#options.log.state.cropsOf(photo.name);
    return [...crops].flatMap(([target, each]) => {
      const crop = standingCrop(each);
      return crop && (targets?.includes(target) ?? true) ? [{ photo, target, crop, saved: each.saved }] : [];
    });
  }

  /** One run for each folder of photos, into the folder of that name: so a photo's files do not depend on its company. */
  async #runsOf(crops: readonly ToSave[], scratch: string): Promise<SaveRun[]> {
    const folders = new Map<string, ToSave[]>();
    for (const crop of crops) {
      const folder = path.posix.dirname(crop.photo.name);
      const ofFolder = folders.get(folder);
      if (ofFolder) ofFolder.push(crop);
      else folders.set(folder, [crop]);
    }
    return Promise.all(
      [...folders].map(async ([folder, ofFolder], i): Promise<SaveRun> => {
        const choices = path.join(scratch, `${i}.jsonl`);
        await writeFileAtomic(choices, Buffer.from(ofFolder.map((crop) => choiceLine(crop)).join('')));
        return { crops: ofFolder, choices, output: path.join(this.#options.output, folder) + path.sep };
      }),
    );
  }

  /** The files there already: those that the studio wrote, as they were, and others. */
  async #inWay(
    { crops, choices, output }: SaveRun,
    signal: AbortSignal,
  ): Promise<{ own: string[]; foreign: string[] }> {
    let planned: readonly PlannedPhoto[] = [];
    const onPlan = (photos: readonly PlannedPhoto[]): void => void (planned = photos);
    await runBatch({ ...this.#options.options, choices, output, dryRun: true, signal }, { onPlan });
    const ownHashes = new Map(crops.flatMap(({ saved }) => saved?.files ?? []).map((file) => [file.path, file.sha256]));
    const own: string[] = [];
    const foreign: string[] = [];
    for (const file of planned.flatMap(filesOf)) {
      const hash = await contentHash(file);
      if (hash === undefined) continue;
      if (ownHashes.get(path.resolve(file)) === hash) own.push(file);
      else foreign.push(file);
    }
    return { own, foreign };
  }

  async #write({ crops, choices, output }: SaveRun, force: boolean, signal: AbortSignal): Promise<SaveAnswer> {
    const files: string[] = [];
    const written: (readonly string[])[] = [];
    const result = await runBatch(
      { ...this.#options.options, choices, output, force, signal },
      {
        onPhoto: ({ results: [made] }) => {
          const output = made?.output ?? [];
          written.push(output);
          files.push(...output);
        },
        onFailure: () => written.push([]),
      },
    );
    for (const [i, { photo, target, crop }] of crops.entries()) {
      const paths = written[i] ?? [];
      if (paths.length === 0) continue;
      const made = await Promise.all(
        paths.map(async (file) => ({ path: path.resolve(file), sha256: (await contentHash(file)) ?? '' })),
      );
      await this.#options.log.note({
        ...{ what: 'saved', photo: photo.name, target, box: crop.box, files: made },
        ...defined({ straighten: crop.turn?.angleDeg }),
      });
    }
    const failures = result.failures.map(({ input, error }) => ({
      photo: path.relative(this.#options.library.folder, input).replaceAll(path.sep, '/'),
      message: messageOf(error),
    }));
    return { files, existing: [], failures };
  }
}

interface SaveRun {
  readonly crops: readonly ToSave[];
  readonly choices: string;
  readonly output: string;
}
