import { countedAre } from '../../base/counted.js';
import { FAMILIES } from '../../../gguf/index.js';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { FramewrightError, messageOf, type ErrorCode } from '../../base/errors.js';
import type { Size } from '../../base/geometry.js';
import { packageFile } from '../../files/package-root.js';
import { writeFailure } from '../../files/write.js';
import { decodePhoto } from '../../photo/decode.js';
import { positionRamps } from '../../photo/ramps.js';
import { enhance } from '../../vlm/enhance/enhance.js';
import { loadPromptProfile } from '../../vlm/prompt/profile.js';
import { lotsFor, shuffled } from '../lots.js';
import { drawPart, partOfPhoto } from '../sources/photo-parts.js';
import { SPLITS, type Problem, type Split, type TasteSource } from '../sources/types.js';
import { perceptualHash } from '../split/perceptual-hash.js';
import { splitPhotos, type HashedPhoto, type SplitOptions, type SplitPhoto } from '../split/split-photos.js';
import type { PairOptions } from '../targets/pairs-of-ratings.js';
import { photoRecords, type PairKind, type PhotoRecords } from '../targets/photo-records.js';
import { conversationWriter, type Turn } from '../written-conversation.js';
import type { Analyst } from './analyst.js';
import { checkExport } from './check-export.js';
import { datasetInfo, EXPORT_FILES, type DpoRecord, type ExportFacts, type SftRecord } from './export-schema.js';
import { frameTaste, type FramingOptions } from './framed-taste.js';
import { JsonArrayFile } from './json-array-file.js';
import { llamaFactoryFiles } from './llama-factory.js';
import { makeNewFolder } from './new-folder.js';
import { renderSamples, sampleOf, type Sample } from './samples-page.js';
import { summaryText } from './summary.js';
import { pixelBudgetOf, type TrainingUse } from './use.js';

/** What an export is made of, and how. */
export interface ExportOptions extends TrainingUse, Omit<SplitOptions, 'apartFrom'> {
  readonly source: TasteSource;
  /** A folder that is not there yet, or empty. */
  readonly out: string;
  readonly analyst: Analyst;
  /** Candidates in a list, 1 to {@link MAX_LISTED}. */
  readonly candidates: number;
  readonly pairs: Omit<PairOptions, 'gap'> & {
    /** Default: the source's own. */
    readonly gap?: number;
  };
  readonly kinds: readonly PairKind[];
  /** Parts of each photo to train on, beside the whole; default: none. */
  readonly parts?: number;
  /** The share of a part that a crop takes at most, as `drawPart` has it. Default: parts of any size. */
  readonly partsMostCropped?: number;
  /** Photos of which nothing near is taken. */
  readonly apartFrom?: readonly string[];
  /** Photos on the page of samples. */
  readonly samples: number;
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A candidate's number is one digit: several would share their first, which is what is decided. */
export const MAX_LISTED = 9;

/** What is wrong with one photo and stops no other. */
const PHOTO_CODES: readonly ErrorCode[] = [
  'INPUT_NOT_FOUND',
  'INPUT_UNREADABLE',
  'INPUT_UNSUPPORTED',
  'INPUT_CORRUPT',
  'INPUT_TOO_LARGE',
  'ASPECT_IMPOSSIBLE',
  'ANSWER_INVALID',
];

/**
 * Makes a folder of training data in LLaMA-Factory's sharegpt format, which the native trainer reads too: conversations
 * of the product's own three stages about photos in the model's frame. The same for the same source, options and model.
 * The folder appears whole, or not at all.
 *
 * @throws FramewrightError DATASET_INVALID where nothing is left to train on, or no pair where pairs are asked for;
 *   OUTPUT_EXISTS, OUTPUT_WRITE; as the analyst
 */
export async function exportTaste(options: ExportOptions): Promise<ExportFacts> {
  return makeNewFolder(options.out, async (folder) => {
    const export_ = await Exporter.begin(folder, options);
    try {
      return await export_.run();
    } finally {
      await export_.close();
    }
  });
}

interface Records {
  readonly sft: JsonArrayFile;
  readonly dpo: JsonArrayFile;
}

type PhotoFacts = ExportFacts['photos'][number];

/** One export while it is made. */
class Exporter {
  readonly #folder: string;
  readonly #options: ExportOptions;
  readonly #files: Readonly<Record<Split, Records>>;
  readonly #framing: FramingOptions;
  readonly #photos: PhotoFacts[] = [];
  readonly #samples: Sample[] = [];
  readonly #leftOut: Problem[] = [];
  #hasSystem = false;

  private constructor(
    folder: string,
    options: ExportOptions,
    files: Readonly<Record<Split, Records>>,
    framing: FramingOptions,
  ) {
    this.#folder = folder;
    this.#options = options;
    this.#files = files;
    this.#framing = framing;
    this.#leftOut.push(
      ...options.source.missing,
      ...options.source.repairs.map((reason) => ({ id: options.source.name, reason })),
    );
  }

  static async begin(folder: string, options: ExportOptions): Promise<Exporter> {
    const { source, pairs, analyst, candidates, signal } = options;
    await mkdir(path.join(folder, EXPORT_FILES.images));
    const create = (name: string): Promise<JsonArrayFile> => JsonArrayFile.create(path.join(folder, name));
    const files = {
      train: { sft: await create(EXPORT_FILES.sft.train), dpo: await create(EXPORT_FILES.dpo.train) },
      heldout: { sft: await create(EXPORT_FILES.sft.heldout), dpo: await create(EXPORT_FILES.dpo.heldout) },
    };
    const budget = pixelBudgetOf(options);
    const { coordinates } = FAMILIES[options.family];
    const framing = {
      budget,
      coordinates,
      writer: conversationWriter(await loadPromptProfile(options.use.promptProfile), {
        cellPx: budget.cellPx,
        coordinates,
      }),
      analyst,
      count: candidates,
      pairs: { ...pairs, gap: pairs.gap ?? source.ratingGap },
      ...(signal && { signal }),
    };
    return new Exporter(folder, options, files, framing);
  }

  async run(): Promise<ExportFacts> {
    const { samples, seed, source, onProgress } = this.#options;
    const photos = await this.#split();
    const shown = new Set(shuffled(photos, lotsFor(seed, 'samples')).slice(0, samples));
    for (const [i, item] of photos.entries()) {
      onProgress?.(`${i + 1} of ${photos.length}: ${item.photo.id}`);
      await this.#forPhoto(item.photo.id, () => this.#add(item, shown.has(item)));
      if (item.split === 'train') await this.#forPhoto(item.photo.id, () => this.#addParts(item));
    }
    this.#refuseNothing(source);
    return this.#finish();
  }

  async close(): Promise<void> {
    for (const split of SPLITS) {
      await this.#files[split].sft.close();
      await this.#files[split].dpo.close();
    }
  }

  async #split(): Promise<readonly SplitPhoto[]> {
    const { source, apartFrom = [], signal, onProgress } = this.#options;
    const hashed: HashedPhoto[] = [];
    for (const [i, photo] of source.photos.entries()) {
      onProgress?.(`looking for duplicates: ${i + 1} of ${source.photos.length}`);
      await this.#forPhoto(photo.id, async () => {
        hashed.push({
          photo,
          hash: await perceptualHash(await decodePhoto(photo.path, signal ? { signal } : {}), signal),
        });
      });
    }
    const apart: { readonly id: string; readonly hash: HashedPhoto['hash'] }[] = [];
    for (const file of apartFrom) {
      signal?.throwIfAborted();
      apart.push({ id: file, hash: await perceptualHash(await decodePhoto(file, signal ? { signal } : {}), signal) });
    }
    const { photos, duplicates, leaks } = splitPhotos(hashed, { ...this.#options, apartFrom: apart });
    this.#leftOut.push(...duplicates, ...leaks);
    return photos;
  }

  /** What is wrong with the photo is noted; anything else ends the export. */
  async #forPhoto(id: string, work: () => Promise<void>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    try {
      await work();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof FramewrightError) || !PHOTO_CODES.includes(error.code)) throw error;
      this.#leftOut.push({ id, reason: messageOf(error) });
    }
  }

  /** Parts are of no use to measure with: they are no photos that anybody has. */
  async #addParts({ photo, split }: SplitPhoto): Promise<void> {
    const { parts = 0, partsMostCropped, seed, signal } = this.#options;
    if (parts === 0) return;
    const space = photo.space ?? (await decodePhoto(photo.path, signal ? { signal } : {}));
    const lots = lotsFor(seed, `parts of ${photo.id}`);
    for (let n = 0; n < parts; n++) {
      signal?.throwIfAborted();
      const part = drawPart(photo, space, this.#framing.pairs.gap, lots, partsMostCropped);
      if (part) await this.#add({ photo: partOfPhoto(photo, part), split }, false);
    }
  }

  async #add({ photo, split }: SplitPhoto, isShown: boolean): Promise<void> {
    const { seed, source, candidates, kinds, use } = this.#options;
    const lots = lotsFor(seed, photo.part ? `${photo.id} ${photo.part.join(' ')}` : photo.id);
    const { ready, taste } = await frameTaste(photo, this.#framing, lots);
    const settings = { count: candidates, ratingGap: this.#framing.pairs.gap, kinds };
    const records = await photoRecords(taste, settings, this.#framing.writer, lots);
    if (!records.sft && records.dpo.length === 0) {
      this.#leftOut.push({ id: photo.id, reason: nothingOf(records, source) });
      return;
    }
    const { frame, rgb, space } = ready;
    const isEnhanced = records.dpo.length > 0 || records.sft!.turns.length > 2;
    const enhanced = isEnhanced ? await enhance({ frame, rgb }, taste.elements, use, space) : undefined;
    const name = String(this.#photos.length).padStart(5, '0');
    const image = await this.#writeImage(name, rgb, frame);
    const drawn = enhanced && (await this.#writeImage(`${name}-elements`, enhanced, frame));
    await this.#addRecords(records, split, drawn === undefined ? [image] : [image, drawn]);
    const { id, part } = photo;
    this.#photos.push({
      id,
      ...(part && { part: [...part] }),
      split,
      image,
      ...(drawn !== undefined && { enhanced: drawn }),
      frame,
    });
    if (isShown) this.#samples.push(await sampleOf({ id: photo.id, split, frame, space }, records, rgb, enhanced));
  }

  async #addRecords({ sft, dpo }: PhotoRecords, split: Split, images: readonly string[]): Promise<void> {
    const files = this.#files[split];
    const common = (turns: readonly Turn[], system: string | undefined): Pick<SftRecord, 'images' | 'system'> => {
      this.#hasSystem ||= system !== undefined;
      // The second image is shown with the second question.
      return { images: images.slice(0, turns.length > 2 ? 2 : 1), ...(system !== undefined && { system }) };
    };
    if (sft) {
      const record: SftRecord = { conversations: [...sft.turns], ...common(sft.turns, sft.system) };
      await files.sft.add(record);
    }
    for (const { turns, system, chosen, rejected } of dpo) {
      const record: DpoRecord = { conversations: [...turns], chosen, rejected, ...common(turns, system) };
      await files.dpo.add(record);
    }
  }

  async #writeImage(name: string, rgb: Uint8Array, frame: Size): Promise<string> {
    const seen = this.#options.use.preprocess.positionRamps
      ? positionRamps(rgb, frame, FAMILIES[this.#options.family].patchPx)
      : rgb;
    const png = await sharp(seen, { raw: { ...frame, channels: 3 } })
      .png({ compressionLevel: 6 })
      .toBuffer();
    const relative = `${EXPORT_FILES.images}/${name}.png`;
    await this.#write(relative, png);
    return relative;
  }

  /** @throws FramewrightError DATASET_INVALID */
  #refuseNothing({ name, photos }: TasteSource): void {
    const reasons = this.#leftOut.slice(0, 3).map(({ id, reason }) => `${id}: ${reason}`);
    const because = reasons.length === 0 ? '' : `, e.g. ${reasons.join('; ')}`;
    if (this.#photos.length === 0) {
      throw new FramewrightError('DATASET_INVALID', `nothing of ${name} is left to train on${because}`);
    }
    const { count, gap } = this.#framing.pairs;
    const nPairs = this.#files.train.dpo.length + this.#files.heldout.dpo.length;
    const isRated = photos.some(({ crops, pairs }) => crops.length > 1 || pairs.length > 0);
    if (nPairs > 0 || count === 0 || !isRated) return;
    throw new FramewrightError(
      'DATASET_INVALID',
      `${name} has no pair to prefer one crop of: all ratings are ties, or nearer than ${gap}${because}; ask for a ` +
        'smaller --min-gap, or for no pairs (--pairs 0)',
    );
  }

  async #finish(): Promise<ExportFacts> {
    const { source, family, use, seed, analyst } = this.#options;
    const { budget, writer } = this.#framing;
    for (const split of SPLITS) {
      await this.#files[split].sft.end();
      await this.#files[split].dpo.end();
    }
    const counted = (split: Split): ExportFacts['counts'][Split] => ({
      photos: this.#photos.filter(({ split: of, part }) => of === split && !part).length,
      sft: this.#files[split].sft.length,
      dpo: this.#files[split].dpo.length,
    });
    const counts = { train: counted('train'), heldout: counted('heldout') };
    const { version } = JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { version: string };
    const facts: ExportFacts = {
      schemaVersion: 1,
      framewright: version,
      source: source.name,
      family,
      promptProfile: use.promptProfile,
      promptVersion: writer.profile.version,
      pixelBudget: { min: budget.minPixels, max: budget.maxPixels, cellPx: budget.cellPx },
      positionRamps: use.preprocess.positionRamps,
      analysis: analyst.name,
      seed,
      counts,
      photos: this.#photos,
      leftOut: this.#leftOut,
    };
    const summary = summaryText(facts);
    const hasHeldOut = { sft: counts.heldout.sft > 0, dpo: counts.heldout.dpo > 0 };
    await this.#write(EXPORT_FILES.info, json(datasetInfo()));
    await this.#write(EXPORT_FILES.facts, json(facts));
    await this.#write(EXPORT_FILES.summary, summary);
    await this.#write(EXPORT_FILES.samples, await renderSamples({ facts, summary, samples: this.#samples }));
    await mkdir(path.join(this.#folder, 'llamafactory'));
    const settings = llamaFactoryFiles({ family, use, hasSystem: this.#hasSystem, hasHeldOut });
    for (const [name, text] of Object.entries(settings)) await this.#write(name, text);
    await checkExport(this.#folder);
    return facts;
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const file = path.join(this.#folder, name);
    await writeFile(file, content).catch((error: unknown) => {
      throw writeFailure(path.join(this.#options.out, name), error);
    });
  }
}

function nothingOf({ nPairsUnusable }: PhotoRecords, { ratingGap }: TasteSource): string {
  if (nPairsUnusable > 0)
    return `its ${countedAre(nPairsUnusable, 'pair')} of crops smaller than are proposed, or too alike`;
  return `no crop of it is one that may be proposed, and no ratings are ${ratingGap} apart`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
