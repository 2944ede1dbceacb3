import { cellPxOf, FAMILIES, type FamilyName } from '../../../gguf/index.js';
import { BUNDLED_MODELS, requireCatalogModel, resolveModel } from '../../model/resolve.js';
import { existsSync } from 'node:fs';
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
  /** Default `qwen2vl`. */
  readonly family?: FamilyName;
  /** Image tokens a photo is seen with at most. Default: as many as the model is made for. */
  readonly imageTokens?: number;
}

/** @throws FramewrightError MODEL_NOT_FOUND, MODEL_INVALID */
export async function trainingUse({ model, family = 'qwen2vl', imageTokens }: UseOptions): Promise<TrainingUse> {
  const use = model === undefined ? defaultUse(cellPxOf(FAMILIES[family])) : await useOfModel(model);
  return { family, use: imageTokens === undefined ? use : withImageTokens(use, imageTokens) };
}

/** The frame its photos are seen in. */
export function pixelBudgetOf({ family, use }: TrainingUse): PixelBudget {
  const { min: minPixels, max: maxPixels } = use.pixelBudget;
  return { minPixels, maxPixels, cellPx: cellPxOf(FAMILIES[family]) };
}

async function useOfModel(model: string): Promise<ModelUse> {
  const isHere = Object.hasOwn(BUNDLED_MODELS, model) || existsSync(model) || model.toLowerCase().endsWith('.gguf');
  return isHere ? (await resolveModel({ model })).use : (await requireCatalogModel(model)).entry.use;
}
