import type { EngineName } from '../base/schema.js';
import type { EngineCrop, PhotoEngine } from './engine.js';
import { centre } from './centre.js';
import { full } from './full.js';
import { rules } from './rules/index.js';
import { smartcropEngine } from './saliency.js';
import type { EngineOptions, EngineProposal, PlainFunction } from './types.js';

export type PlainEngineName = Exclude<EngineName, 'vlm'>;

const FUNCTIONS: Readonly<Record<PlainEngineName, PlainFunction>> = {
  rules,
  saliency: smartcropEngine,
  centre,
  full,
};

/** They scale further down themselves; this keeps edges sharp enough for exact lines. */
const PIXEL_BUDGET = { minPixels: 28 * 28, maxPixels: 512 * 512 };

/** One of the engines that need no model, in the shape the pipeline takes. */
export function plainEngine(name: PlainEngineName): PhotoEngine {
  const propose = FUNCTIONS[name];
  return {
    name,
    pixelBudget: PIXEL_BUDGET,
    takesInstruction: false,
    needsPixels: name !== 'full' && name !== 'centre',
    async crop({ rgb, frame }, targets, { count }, _sampling, _timings, onProgress) {
      onProgress?.('propose');
      const raster = { data: rgb, size: frame };
      let elements: EngineProposal['elements'] = [];
      const crops: EngineCrop[] = [];
      for (const { limits, timings } of targets) {
        const options: EngineOptions = {
          count,
          minArea: limits.minShare,
          ...(limits.heightPerWidth === undefined ? {} : { aspect: 1 / limits.heightPerWidth }),
          ...(limits.keep ? { keep: [limits.keep] } : {}),
        };
        const proposal = await timings.measure('propose', async () => propose(raster, options));
        elements = proposal.elements;
        crops.push({
          candidates: proposal.candidates.map(({ box, why }) => ({ boxInFrame: box, why })),
          decision: {
            best: proposal.best,
            why: proposal.candidates[proposal.best]!.why,
            modelScores: proposal.candidates.map(({ score }) => score),
          },
        });
      }
      return { elements, crops };
    },
    ...(name === 'rules' && {
      analyse: async ({ rgb, frame }, _sampling, timings) =>
        timings.measure('analyse', () => Promise.resolve(rules({ data: rgb, size: frame }, { count: 1 }).elements)),
    }),
  };
}
