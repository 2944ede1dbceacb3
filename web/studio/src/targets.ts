// Shapes a crop can have, as people call them.
import type { TargetKey } from './api.js';

export const FREE: TargetKey = 'free';

export const COMMON_TARGETS: readonly TargetKey[] = [FREE, '1:1', '4:5', '2:3', '3:2', '16:9', '9:16'];

export function nameOf(target: TargetKey): string {
  return target === FREE ? 'any shape' : target.replace('x', ' × ');
}

/** Width by height; undefined for any shape. */
export function ratioOf(target: TargetKey): number | undefined {
  if (target === FREE) return undefined;
  const [width = 0, height = 1] = target.split(/[:x]/).map(Number);
  return width / height;
}

/** Whether it can be asked for; the server has the last word. */
export function isTarget(text: string): boolean {
  return text === FREE || /^\d{1,6}(\.\d{1,4})?:\d{1,6}(\.\d{1,4})?$|^\d{1,6}x\d{1,6}$/.test(text);
}
