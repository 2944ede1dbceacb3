import { FramewrightError } from '../base/errors.js';
import type { Aspect, Size } from '../base/geometry.js';
import { parseAspect, reducedAspect } from './aspect.js';

/** What a crop is made for: any shape, a ratio, or an output size (which fixes the ratio and scales). */
export interface Target {
  readonly aspect?: Aspect;
  readonly size?: Size;
}

/** One target for each aspect and size, in this order; one free target where neither is asked for. */
export function parseTargets(aspects: readonly string[], sizes: readonly string[]): Target[] {
  const targets: Target[] = [
    ...aspects.map((text) => ({ aspect: parseAspect(text) })),
    ...sizes.map((text) => {
      const size = parseSize(text);
      return { size, aspect: reducedAspect(size.width, size.height) };
    }),
  ];
  return targets.length > 0 ? targets : [{}];
}

/** `1080x1350` in pixels. */
export function parseSize(text: string): Size {
  const match = /^(\d{1,6})x(\d{1,6})$/.exec(text.trim());
  const size = { width: Number(match?.[1]), height: Number(match?.[2]) };
  if (match && size.width > 0 && size.height > 0) return size;
  throw new FramewrightError('USAGE', `"${text}" is not a size; write it in pixels, e.g. 1080x1350`);
}

export function formatAspect({ width, height }: Aspect): string {
  return `${width}:${height}`;
}
