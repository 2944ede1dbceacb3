import { FramewrightError } from '../../base/errors.js';
import type { RuntimeInfo } from '../../runtime/types.js';
import { requireRunnable } from '../load.js';
import { catalogName, requireCatalogModel, resolveModel, useIn, type ModelSelection } from '../resolve.js';
import type { ModelUse } from '../manifest.js';
import { placesOf, stateOf } from '../store.js';
import type { MemoryLimits, MemoryPlan } from './fit.js';
import { planRun, type PlanOptions } from './plan-run.js';
import { estimatePairShape, shapeOfPair, type PairShape } from './shape.js';

export interface ModelPlan {
  readonly name: string;
  /** `headers`: of the files. `catalogue`: they are not here, and their sizes were estimated. */
  readonly from: 'headers' | 'catalogue';
  readonly shape: PairShape;
  readonly plan: MemoryPlan;
  readonly limits: MemoryLimits;
}

/**
 * The plan for a model that is not loaded, nor need be here.
 *
 * @throws FramewrightError MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED
 */
export async function planModel(
  selection: ModelSelection,
  info: RuntimeInfo,
  options: PlanOptions,
): Promise<ModelPlan> {
  const { name, from, shape, use } = (await fromCatalogue(selection)) ?? (await fromHeaders(selection));
  return { name, from, shape, ...planRun(info, shape, use, options) };
}

interface Planned extends Pick<ModelPlan, 'name' | 'from' | 'shape'> {
  readonly use: ModelUse;
}

async function fromHeaders(selection: ModelSelection): Promise<Planned> {
  const resolved = await resolveModel(selection);
  const pair = await requireRunnable(resolved);
  return { name: resolved.name, from: 'headers', shape: shapeOfPair(pair), use: useIn(resolved, pair.family) };
}

/** A model the catalogue knows and that is not downloaded; undefined for any other. */
async function fromCatalogue({ model }: ModelSelection): Promise<Planned | undefined> {
  const found = await requireCatalogModel(model).catch((error: unknown) => {
    if (error instanceof FramewrightError && error.code === 'MODEL_NOT_FOUND') return undefined;
    throw error;
  });
  if (!found?.entry.sizes || stateOf(placesOf(found.entry, found.variant)) === 'ready') return undefined;
  return {
    name: catalogName(found.entry, found.variant),
    from: 'catalogue',
    shape: estimatePairShape(found.entry.sizes, found.variant),
    use: found.entry.use,
  };
}
