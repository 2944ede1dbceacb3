// Shapes a crop can have, as people call them.
import { aspectOf } from '../../../report/crop-box.js';
import type { TargetKey } from './api.js';

export const FREE: TargetKey = 'free';

export const COMMON_TARGETS: readonly TargetKey[] = [FREE, '1:1', '4:5', '2:3', '3:2', '16:9', '9:16'];

export function nameOf(target: TargetKey): string {
  return target === FREE ? 'any shape' : target.replace('x', ' × ');
}

/** Undefined for any shape. */
export function aspectOfTarget(target: TargetKey): { readonly width: number; readonly height: number } | undefined {
  if (target === FREE) return undefined;
  return aspectOf(target.includes('x') ? { size: target } : { aspect: target });
}

/** As the server calls it: 8:10 is 4:5, 1.91:1 is 191:100. Undefined for what is no target. */
export function normalised(text: string): TargetKey | undefined {
  if (!isTarget(text)) return undefined;
  if (text === FREE || text.includes('x')) return text;
  const [width, height] = text.split(':').map((each) => Math.round(10_000 * Number(each)));
  const aspect = aspectOf({ aspect: `${width}:${height}` })!;
  return aspect.width > 0 && aspect.height > 0 ? `${aspect.width}:${aspect.height}` : undefined;
}

function isTarget(text: string): boolean {
  return text === FREE || /^\d{1,6}(\.\d{1,4})?:\d{1,6}(\.\d{1,4})?$|^\d{1,6}x\d{1,6}$/.test(text);
}
