import type { ModelUse } from '../../src/model/manifest.js';

/** How the nano model is used; export.ts trains it so and write-model.ts puts it into the manifest. */
export const NANO_USE = {
  promptProfile: 'compact',
  pixelBudget: { min: 28_224, max: 50_176 },
  contextCells: 2048,
  preprocess: { positionRamps: true },
  overlay: { labels: false },
  placeEdges: true,
} as const satisfies ModelUse;
