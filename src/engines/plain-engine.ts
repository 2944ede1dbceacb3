import type { Box } from '../base/geometry.js';
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

export type PlainEngineName = Exclude<EngineName, 'vlm' | 'retrieval'>;

type Look = (raster: Raster, heads: readonly Box[]) => EngineLook;

/** Of an engine that looks at no composition. */
function lookBy(propose: PlainFunction): Look {
  return (raster) => ({ elements: [], propose: (options) => propose(raster, options) });
}

const LOOKS: Readonly<Record<PlainEngineName, Look>> = {
  faces: lookAtByRules,
  rules: (raster) => lookAtByRules(raster),
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
  return lookingEngine({
    name,
    pixelBudget: PIXEL_BUDGET,
    namesElements: name === 'rules' || name === 'faces',
    needsPixels: name !== 'full' && name !== 'centre',
    look: ({ rgb, frame, headsInFrame = [] }) => LOOKS[name]({ data: rgb, size: frame }, headsInFrame),
    ...(name === 'faces' ? GOES_BY_HEADS : {}),
  });
}

/** A head is found or is not: how the crops around it compare says nothing of how sure that is. */
const GOES_BY_HEADS = {
  scores: false,
  needsHeads: true,
  nothingIn: ({ headsInFrame = [] }: FrameImage) =>
    headsInFrame.length > 0 ? undefined : 'no face was found that surely is one',
} satisfies Partial<PhotoEngine>;

/** What takes one look at a photo, and proposes whatever is asked from that. */
export interface Looking extends Pick<
  PhotoEngine,
  'name' | 'pixelBudget' | 'needsPixels' | 'scores' | 'needsHeads' | 'nothingIn'
> {
  readonly namesElements?: boolean;
  readonly look: (photo: FrameImage, signal: AbortSignal | undefined) => EngineLook | Promise<EngineLook>;
}

/** An engine of one look, in the shape the pipeline takes. */
export function lookingEngine({ look, namesElements = false, ...engine }: Looking): PhotoEngine {
  return {
    ...engine,
    takesInstruction: false,
    namesElements,
    takeOn: (photo, call) => new LookingSteps(look, photo, call),
  };
}

interface PlainProposal extends Proposed {
  readonly best: number;
  readonly modelScores: readonly number[];
}

/** An engine's own order is its decision. */
class LookingSteps implements EngineSteps {
  readonly #look: () => EngineLook | Promise<EngineLook>;
  readonly #call: EngineCall;
  #seen: EngineLook | undefined;

  constructor(look: Looking['look'], photo: FrameImage, call: EngineCall) {
    this.#look = () => look(photo, call.sampling.signal);
    this.#call = call;
  }

  analyse(): Promise<Analysed> {
    return this.#call.timings.measure('analyse', async () => {
      this.#seen ??= await this.#look();
      return { elements: this.#seen.elements };
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
