import type { GgufMetadata } from '../values.js';
import type { FamilyName, ModelFamily } from './family.js';
import { QWEN2VL } from './qwen2vl.js';
import { QWEN35 } from './qwen35.js';
import { QWEN3VL } from './qwen3vl.js';
import { QWEN3VLMOE } from './qwen3vlmoe.js';

/** Every family that runs, by its architecture. A new one is a file in this folder and a line here. */
export const FAMILIES = {
  qwen2vl: QWEN2VL,
  qwen3vl: QWEN3VL,
  qwen3vlmoe: QWEN3VLMOE,
  qwen35: QWEN35,
} as const satisfies Readonly<Record<FamilyName, ModelFamily>>;

/** Of a `general.architecture`; undefined for one that does not run. */
export function familyOfArchitecture(architecture: unknown): ModelFamily | undefined {
  return Object.values<ModelFamily>(FAMILIES).find((family) => family.architecture === architecture);
}

/** Of a text model or an adapter, by its metadata; undefined for one that does not run. */
export function familyOfText(metadata: GgufMetadata): ModelFamily | undefined {
  return familyOfArchitecture(metadata.get('general.architecture')?.value);
}

/** Those whose vision files name this projector; several text architectures can share one. */
export function familiesOfProjector(projector: unknown): readonly ModelFamily[] {
  return Object.values<ModelFamily>(FAMILIES).filter((family) => family.projector === projector);
}

/** Side of the square of the frame that becomes one token of the image, in pixels. */
export function cellPxOf({ patchPx, mergeSize }: Pick<ModelFamily, 'patchPx' | 'mergeSize'>): number {
  return patchPx * mergeSize;
}

/** Titles for a sentence: `Qwen2.5-VL and Qwen3-VL`. */
export function familyTitles(word: 'and' | 'or' = 'and'): string {
  const titles = Object.values(FAMILIES).map(({ title }) => title);
  return [titles.slice(0, -1).join(', '), titles.at(-1)].filter(Boolean).join(` ${word} `);
}
