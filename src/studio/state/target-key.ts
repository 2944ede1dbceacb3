import { defined } from '../../base/defined.js';
import { formatAspect, parseTargets, type Target } from '../../crop/target.js';
import type { TargetKey } from '../api.js';

/** Of a crop of any shape. */
export const FREE: TargetKey = 'free';

const SIZE = /^\d{1,6}x\d{1,6}$/;

/** @throws FramewrightError USAGE for what is neither a ratio nor a size */
export function targetOfKey(key: TargetKey): Target {
  if (key === FREE) return {};
  const [target] = SIZE.test(key) ? parseTargets([], [key]) : parseTargets([key], []);
  return target!;
}

export function keyOfTarget({ aspect, size }: Target): TargetKey {
  if (size) return `${size.width}x${size.height}`;
  return aspect ? formatAspect(aspect) : FREE;
}

/** The same target has one key, however it was written: 8:10 is 4:5. */
export function normalisedKey(key: TargetKey): TargetKey {
  return keyOfTarget(targetOfKey(key));
}

/** As the command and the library take it. */
export function wordsOfKey(key: TargetKey): { aspect?: string; size?: string } {
  if (key === FREE) return {};
  const isSize = SIZE.test(key);
  return defined({ aspect: isSize ? undefined : key, size: isSize ? key : undefined });
}
