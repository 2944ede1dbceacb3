import type { EngineName } from '../base/schema.js';
import type {
  Analysed,
  EngineSteps,
  EngineTarget,
  PhotoEngine,
  Proposed,
  Decided,
  EngineCall,
  TargetWork,
} from './engine.js';
import type { FrameImage } from './frame-image.js';
import { centre } from './centre.js';
import { full } from './full.js';
import { lookAtByRules } from './rules/index.js';
import { smartcropEngine } from './saliency.js';
import type { EngineLook, EngineOptions, PlainFunction, Raster } from './types.js';

export type PlainEngineName = Exclude<EngineName, 'vlm'>;

/** Of an engine that looks at no composition. */
function lookBy(propose: PlainFunction): (raster: Raster) => EngineLook {
  return (raster) => ({ elements: [], propose: (options) => propose(raster, options) });
}

const LOOKS: Readonly<Record<PlainEngineName, (raster: Raster) => EngineLook>> = {
  rules: lookAtByRules,
  saliency: lookBy(smartcropEngine),
  centre: lookBy(centre),
  full: lookBy(full),
};

/** Steps of the frame's sides; nothing is divided by it here. */
const STEP_PX = 28;
/** They scale further down themselves; this keeps edges sharp enough for exact lines. */
const PIXEL_BUDGET = { minPixels: STEP_PX ** 2, maxPixels: 512 * 512, cellPx: STEP_PX };

/** One of the engines that need no model, in the shape the pipeline takes. */
export function plainEngine(name: PlainEngineName): PhotoEngine {
  return {
    name,
    pixelBudget: PIXEL_BUDGET,
    takesInstruction: false,
    namesElements: name === 'rules',
    needsPixels: name !== 'full' && name !== 'centre',
    takeOn: (photo, call) => new PlainSteps(LOOKS[name], photo, call),
  };
}

interface PlainProposal extends Proposed {
  readonly best: number;
  readonly modelScores: readonly number[];
}

/** An engine's own order is its decision. */
class PlainSteps implements EngineSteps {
  readonly #look: () => EngineLook;
  readonly #call: EngineCall;
  #seen: EngineLook | undefined;

  constructor(look: (raster: Raster) => EngineLook, { rgb, frame }: FrameImage, call: EngineCall) {
    this.#look = () => look({ data: rgb, size: frame });
    this.#call = call;
  }

  analyse(): Promise<Analysed> {
    return this.#call.timings.measure('analyse', async () => {
      this.#seen ??= this.#look();
      return Promise.resolve({ elements: this.#seen.elements });
    });
  }

  /** Nobody looks at a drawing of it. */
  enhance(analysed: Analysed): Promise<Analysed> {
    this.#call.onProgress?.('propose');
    return Promise.resolve(analysed);
  }

  async forEachTarget<R>(seen: Analysed, work: TargetWork<R>): Promise<R[]> {
    const results: R[] = [];
    for (const [i, target] of this.#call.targets.entries()) results.push(await work(seen, target, i));
    return results;
  }

  async propose(_from: Analysed, { limits, timings }: EngineTarget): Promise<PlainProposal> {
    const options: EngineOptions = {
      count: this.#call.request.count,
      minSize: limits.minSize,
      ...(limits.aspect ? { aspect: limits.aspect } : {}),
      ...(limits.keep ? { keep: [limits.keep] } : {}),
    };
    const { candidates, best } = await timings.measure('propose', async () => this.#seen!.propose(options));
    return {
      candidates: candidates.map(({ box, why }) => ({ boxInFrame: box, why })),
      best,
      modelScores: candidates.map(({ score }) => score),
    };
  }

  decide({ candidates, best, modelScores }: PlainProposal): Promise<Decided> {
    return Promise.resolve({ decision: { best, why: candidates[best]!.why, modelScores } });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
