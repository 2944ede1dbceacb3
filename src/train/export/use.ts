import { cellPxOf, FAMILIES, type FamilyName } from '../../../gguf/index.js';
import { BUNDLED_MODELS, requireCatalogModel, resolveModel, useIn } from '../../model/resolve.js';
import { existsSync } from 'node:fs';
import { FramewrightError } from '../../base/errors.js';
import { requireRunnable } from '../../model/load.js';
import { withImageTokens } from '../../model/image-tokens.js';
import { defaultUse, type ModelUse } from '../../model/manifest.js';
import type { PixelBudget } from '../../photo/frame.js';

/** What data is made for: how a model will be used decides what its training photos and prompts look like. */
export interface TrainingUse {
  readonly family: FamilyName;
  readonly use: ModelUse;
}

export interface UseOptions {
  /** A model by name, whether downloaded or not, or a file or folder. Default: a Qwen-VL without a manifest. */
  readonly model?: string;
  /** Default: that of `model` where it is known, else `qwen2vl`. */
  readonly family?: FamilyName;
  /** Image tokens a photo is seen with at most. Default: as many as the model is made for. */
  readonly imageTokens?: number;
}

/** @throws FramewrightError MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, USAGE for a family that is not the model's */
export async function trainingUse({ model, family: asked, imageTokens }: UseOptions): Promise<TrainingUse> {
  const known = model === undefined ? undefined : await useOfModel(model);
  const family = known?.family ?? asked ?? 'qwen2vl';
  if (asked !== undefined && asked !== family)
    throw new FramewrightError(
      'USAGE',
      `the model ${model!} is a ${FAMILIES[family].title}; leave out --family ${asked}`,
    );
  const use = known?.use ?? defaultUse(FAMILIES[family]);
  return { family, use: imageTokens === undefined ? use : withImageTokens(use, imageTokens, FAMILIES[family]) };
}

/** The frame its photos are seen in. */
export function pixelBudgetOf({ family, use }: TrainingUse): PixelBudget {
  const { min: minPixels, max: maxPixels } = use.pixelBudget;
  return { minPixels, maxPixels, cellPx: cellPxOf(FAMILIES[family]) };
}

interface KnownUse {
  readonly use: ModelUse;
  /** Unknown where the user's own catalogue adds the model and it was not downloaded. */
  readonly family?: FamilyName;
}

async function useOfModel(model: string): Promise<KnownUse> {
  const isHere = Object.hasOwn(BUNDLED_MODELS, model) || existsSync(model) || model.toLowerCase().endsWith('.gguf');
  if (!isHere) {
    const { use, sizes } = (await requireCatalogModel(model)).entry;
    return { use, ...(sizes && { family: sizes.family }) };
  }
  const resolved = await resolveModel({ model });
  const { family } = await requireRunnable(resolved);
  return { use: useIn(resolved, family), family: family.architecture };
}
