import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { countedAre } from '../../base/counted.js';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { boxArea, boxOfRect, type Box } from '../../base/geometry.js';
import { CROP_DEFAULTS } from '../../crop/defaults.js';
import { formatAspect } from '../../crop/target.js';
import { openCropper, type Cropper } from '../../cropper/cropper.js';
import type { CropperOptions } from '../../cropper/options.js';
import { photoSize } from '../../eval/datasets/photos.js';
import { writeFailure } from '../../files/write.js';
import { analystOf } from '../export/analyst.js';
import { exportTaste } from '../export/export-taste.js';
import type { ExportFacts } from '../export/export-schema.js';
import { makeNewFolder } from '../export/new-folder.js';
import { lotsFor, shuffled } from '../lots.js';
import type { ChosenCrop, ChosenCrops } from '../prefs/chosen-crops.js';
import { preferencesOf } from '../prefs/preferences.js';
import type { TasteSource } from '../sources/types.js';
import { tasteFigures, type Judged, type TasteFigures } from './measure.js';

/** What trains an adapter of a model on an export folder. */
export type AdapterTrainer = (request: {
  /** The export. */
  readonly data: string;
  /** Photos of it that nothing is to be learned from, by the names of their images. */
  readonly leaveOut: ReadonlySet<string>;
  /** The adapter's file. */
  readonly output: string;
  /** A folder for what runs on the same data have in common. */
  readonly shared: string;
  readonly seed: number;
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
}) => Promise<void>;

export interface TasteOptions {
  readonly crops: ChosenCrops;
  /** A new folder: the data, the adapter, its curves and figures. */
  readonly out: string;
  /** The model to be trained. */
  readonly model: CropperOptions;
  readonly train: AdapterTrainer;
  readonly seed: number;
  /** Shares the choices are divided into, 2 or more: each is cropped by an adapter that was learned from the others. */
  readonly folds: number;
  /** Parts of each photo that are learned from beside it: without, a few dozen photos are learned by heart. */
  readonly parts: number;
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface Taste {
  readonly facts: ExportFacts;
  readonly figures: TasteFigures;
}

/** Files of the folder. */
export const TASTE_FILES = { data: 'data', adapter: 'taste.gguf', figures: 'taste.json' } as const;

/**
 * Crops take no more of a part than this quantile of them takes of the photos: parts cut closer would teach to crop wider than
 * is liked. On the nano, where crops of .48 of the photo were asked for, it cropped to .70 after parts of any size (medians).
 */
const PARTS_QUANTILE = 0.9;

/** Fewer choices teach no taste, and would not tell whether they did. */
export const LEAST_CHOICES = 20;

/**
 * An adapter for one's own taste: makes data of the choices and learns to answer so. How much nearer the crops come is
 * measured on every choice by an adapter that was learned from the others (cross-validation by photo), so that all of them
 * count and none is known; the adapter that is left behind learned from all.
 *
 * @throws FramewrightError DATASET_INVALID for too few choices, or ones that all agree with the model; as `exportTaste` and the
 *   trainer
 */
export async function learnTaste(options: TasteOptions): Promise<Taste> {
  const { crops, out } = options;
  if (crops.chosen.length < LEAST_CHOICES) {
    throw new FramewrightError(
      'DATASET_INVALID',
      `${countedAre(crops.chosen.length, 'choice')} too few to learn a taste from, and to tell whether it was: it takes ${LEAST_CHOICES} at least`,
    );
  }
  return makeNewFolder(out, (folder) => learnIn(folder, options));
}

async function learnIn(folder: string, options: TasteOptions): Promise<Taste> {
  const { train, seed, onProgress, signal } = options;
  const at = (name: string): string => path.join(folder, name);
  const { facts, source } = await exportChoices(at(TASTE_FILES.data), options);
  const work = at('work');
  await mkdir(work);
  const learn: Learn = (leaveOut, output, onText) =>
    train({
      data: at(TASTE_FILES.data),
      leaveOut,
      output,
      shared: path.join(work, 'shared'),
      seed,
      ...defined({ onProgress: onText, signal }),
    });
  const judged = await crossValidate(work, learn, { facts, source }, options);
  await learn(new Set(), at(TASTE_FILES.adapter), onProgress);
  await rm(work, { recursive: true });
  const figures = tasteFigures(judged);
  const text = `${JSON.stringify({ ...figures, judged }, undefined, 2)}\n`;
  await writeFile(at(TASTE_FILES.figures), text).catch((error: unknown) => {
    throw writeFailure(TASTE_FILES.figures, error);
  });
  return { facts, figures };
}

type Learn = (
  leaveOut: ReadonlySet<string>,
  output: string,
  onProgress: ((text: string) => void) | undefined,
) => Promise<void>;

/** Each choice, cropped by an adapter that was learned without its photo. */
async function crossValidate(
  folder: string,
  learn: Learn,
  { facts, source }: { readonly facts: ExportFacts; readonly source: TasteSource },
  options: TasteOptions,
): Promise<Judged[]> {
  const known = new Set(facts.photos.map(({ id }) => id));
  const choices = options.crops.chosen.filter(({ id }) => known.has(id));
  const folds = foldsOf(choices, options.folds, options.seed);
  const judged: Judged[] = [];
  for (const [i, paths] of folds.entries()) {
    const onProgress = (text: string): void => options.onProgress?.(`measuring, ${i + 1} of ${folds.length}: ${text}`);
    const kept = choices.filter((choice) => paths.has(choice.path));
    const ids = new Set(kept.map(({ id }) => id));
    const images = facts.photos.filter(({ id }) => ids.has(id)).map(({ image }) => image);
    const adapter = path.join(folder, `${i + 1}.gguf`);
    await learn(new Set(images), adapter, onProgress);
    judged.push(...(await judge(kept, source, adapter, { ...options, onProgress })));
  }
  return judged;
}

/** By file, as even as can be: a photo that was cropped to two shapes is in one fold with both. */
function foldsOf(choices: readonly ChosenCrop[], folds: number, seed: number): ReadonlySet<string>[] {
  const paths = shuffled([...new Set(choices.map((choice) => choice.path))], lotsFor(seed, 'folds'));
  const n = Math.min(folds, paths.length);
  return Array.from({ length: n }, (_, fold) => new Set(paths.filter((_, i) => i % n === fold)));
}

/** What becomes of choices that an adapter was not learned from. */
async function judge(
  kept: readonly ChosenCrop[],
  source: TasteSource,
  adapter: string,
  { model, onProgress, signal }: TasteOptions,
): Promise<Judged[]> {
  await using adapted = await openCropper({
    ...model,
    loras: [...(model.loras ?? []), { path: adapter }],
    ...defined({ signal }),
  });
  const judged: Judged[] = [];
  for (const [i, choice] of kept.entries()) {
    onProgress?.(`crop ${i + 1} of ${kept.length}`);
    const before = bestOf(source, choice);
    judged.push({ id: choice.id, chosen: choice.box, before, after: await cropOf(adapted, choice, signal) });
  }
  return judged;
}

async function exportChoices(
  out: string,
  { crops, model, seed, parts, onProgress, signal }: TasteOptions,
): Promise<{ facts: ExportFacts; source: TasteSource }> {
  await using cropper = await openCropper({ ...model, ...(signal && { signal }) });
  const { model: atWork } = cropper;
  if (!atWork) throw new FramewrightError('USAGE', 'a taste is learned by a model: choose one');
  const analyst = analystOf(cropper);
  const common = { analyst, ...(onProgress && { onProgress }), ...(signal && { signal }) };
  const source = await preferencesOf(crops, common);
  const facts = await exportTaste({
    ...common,
    family: atWork.family,
    use: atWork.use,
    source,
    out,
    candidates: CROP_DEFAULTS.candidates,
    pairs: { count: 0, hardness: 'mixed' },
    kinds: [],
    heldOutShare: 0,
    parts,
    partsMostCropped: await usualShare(crops),
    samples: 24,
    seed,
  });
  return { facts, source };
}

/** What the larger of the crops take of their photos. */
async function usualShare({ chosen }: ChosenCrops): Promise<number> {
  const shares: number[] = [];
  for (const { path: file, box } of chosen) {
    const { width, height } = await photoSize(file);
    shares.push(boxArea(box) / (width * height));
  }
  return shares.sort((a, b) => a - b)[Math.floor(PARTS_QUANTILE * (shares.length - 1))]!;
}

function bestOf({ photos }: TasteSource, { id }: ChosenCrop): Box {
  const own = photos.find((photo) => photo.id === id)!.own!;
  return own.candidates[own.best]!;
}

async function cropOf(cropper: Cropper, { path: file, target }: ChosenCrop, signal?: AbortSignal): Promise<Box> {
  const { crop } = await cropper.crop(file, {
    ...(target.aspect && { aspect: formatAspect(target.aspect) }),
    ...(signal && { signal }),
  });
  return boxOfRect(crop);
}
