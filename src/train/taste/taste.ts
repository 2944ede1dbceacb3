import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { boxOfRect, type Box } from '../../base/geometry.js';
import { CROP_DEFAULTS } from '../../crop/defaults.js';
import { formatAspect } from '../../crop/target.js';
import { openCropper, type Cropper } from '../../cropper/cropper.js';
import type { CropperOptions } from '../../cropper/options.js';
import { writeFailure } from '../../files/write.js';
import { analystOf } from '../export/analyst.js';
import { exportTaste } from '../export/export-taste.js';
import type { ExportFacts } from '../export/export-schema.js';
import { makeNewFolder } from '../export/new-folder.js';
import type { ChosenCrop, ChosenCrops } from '../prefs/chosen-crops.js';
import { preferencesOf } from '../prefs/preferences.js';
import type { TasteSource } from '../sources/types.js';
import { PAIR_KINDS } from '../targets/photo-records.js';
import { tasteFigures, type Judged, type TasteFigures } from './measure.js';

/** What trains an adapter of a model on an export folder. */
export type AdapterTrainer = (request: {
  readonly kind: 'sft' | 'dpo';
  /** The export. */
  readonly data: string;
  /** The adapter's file. */
  readonly output: string;
  /** An adapter to go on from; for DPO it is the reference too. What is written holds what it had learnt. */
  readonly lora?: string;
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
  readonly heldOutShare: number;
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
export const TASTE_FILES = { data: 'data', sft: 'sft.gguf', adapter: 'taste.gguf', figures: 'taste.json' } as const;

/** Crops of the model that each choice is preferred to: its own, and another candidate. */
const PAIRS_PER_CHOICE = 2;

/** Fewer choices teach no taste, and those kept back would tell nothing. */
export const LEAST_CHOICES = 20;

/**
 * An adapter for one's own taste: makes data of the choices, learns first to answer so and then to prefer them, and
 * measures on choices that were kept back, by photo, how much nearer the crops have come.
 *
 * @throws FramewrightError DATASET_INVALID for too few choices, or ones that all agree with the model; as `exportTaste` and the
 *   trainer
 */
export async function learnTaste(options: TasteOptions): Promise<Taste> {
  const { crops, out } = options;
  if (crops.chosen.length < LEAST_CHOICES) {
    throw new FramewrightError(
      'DATASET_INVALID',
      `${crops.chosen.length} choices are too few to learn a taste from, and to tell whether it was: it takes ${LEAST_CHOICES} at least`,
    );
  }
  return makeNewFolder(out, (folder) => learnIn(folder, options));
}

async function learnIn(folder: string, options: TasteOptions): Promise<Taste> {
  const { crops, model, train, seed, onProgress, signal } = options;
  const common = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  const at = (name: string): string => path.join(folder, name);
  const { facts, source } = await exportChoices(at(TASTE_FILES.data), options);
  await train({ kind: 'sft', data: at(TASTE_FILES.data), output: at(TASTE_FILES.sft), seed, ...common });
  await train({
    kind: 'dpo',
    data: at(TASTE_FILES.data),
    output: at(TASTE_FILES.adapter),
    lora: at(TASTE_FILES.sft),
    seed,
    ...common,
  });

  const heldOut = new Set(facts.photos.filter(({ split }) => split === 'heldout').map(({ id }) => id));
  const kept = crops.chosen.filter(({ id }) => heldOut.has(id));
  if (kept.length === 0) {
    throw new FramewrightError(
      'DATASET_INVALID',
      'no choice was kept back to measure with: ask for a larger --held-out',
    );
  }
  await using adapted = await openCropper({
    ...model,
    loras: [...(model.loras ?? []), { path: at(TASTE_FILES.adapter) }],
    ...(signal && { signal }),
  });
  const judged: Judged[] = [];
  for (const [i, choice] of kept.entries()) {
    onProgress?.(`choices kept back: ${i + 1} of ${kept.length}`);
    const before = bestOf(source, choice);
    judged.push({ id: choice.id, chosen: choice.box, before, after: await cropOf(adapted, choice, signal) });
  }
  const figures = tasteFigures(judged);
  const text = `${JSON.stringify({ ...figures, judged }, undefined, 2)}\n`;
  await mkdir(folder, { recursive: true });
  await writeFile(at(TASTE_FILES.figures), text).catch((error: unknown) => {
    throw writeFailure(TASTE_FILES.figures, error);
  });
  return { facts, figures };
}

async function exportChoices(
  out: string,
  { crops, model, seed, heldOutShare, parts, onProgress, signal }: TasteOptions,
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
    pairs: { count: PAIRS_PER_CHOICE, hardness: 'mixed' },
    kinds: PAIR_KINDS,
    heldOutShare,
    parts,
    samples: 24,
    seed,
  });
  return { facts, source };
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
