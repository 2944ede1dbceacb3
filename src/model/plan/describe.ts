import { bytesText } from '../../base/bytes-text.js';
import { FramewrightError } from '../../base/errors.js';
import type { MemoryLimits, MemoryPlan } from './fit.js';
import { totalBytes } from './predict.js';

/** What a model that does not fit would take at the least, and what can be done. */
export function tooLarge(name: string, plan: MemoryPlan, limits: MemoryLimits): FramewrightError {
  const needs = [`${bytesText(totalBytes(plan.prediction.host))} of memory (${bytesText(limits.hostBytes)} free)`];
  if (limits.gpuBytes !== undefined && totalBytes(plan.prediction.gpu) > 0)
    needs.push(`${bytesText(totalBytes(plan.prediction.gpu))} of GPU memory (${bytesText(limits.gpuBytes)} free)`);
  return new FramewrightError(
    'MODEL_TOO_LARGE',
    `the model ${name} takes at least ${needs.join(' and ')}; close other programs, use a smaller file of it ` +
      `("framewright model plan ${name}" shows what takes how much), or try all the same with --no-plan`,
  );
}
