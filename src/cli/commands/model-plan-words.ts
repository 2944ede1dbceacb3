import { cellPxOf } from '../../../gguf/index.js';
import { bytesText } from '../../base/bytes-text.js';
import type { ModelPlan } from '../../model/plan/plan-model.js';
import { usableBytes } from '../../model/plan/fit.js';
import { totalBytes } from '../../model/plan/predict.js';

/**
 * What a plan comes to for whoever crops photos and knows nothing of contexts and caches.
 *
 * @param gpuName undefined where there is none
 */
export function planWords({ name, from, shape, plan, limits }: ModelPlan, gpuName: string | undefined): string[] {
  const { settings, prediction, fits, givenUp } = plan;
  const usable = usableBytes(limits);
  const takes = [`${bytesText(totalBytes(prediction.host))} of memory (${bytesText(usable.host)} can be had)`];
  const onGpu = totalBytes(prediction.gpu);
  if (gpuName !== undefined && onGpu > 0) {
    takes.push(`${bytesText(onGpu)} of ${gpuName}'s (${bytesText(usable.gpu)} can be had)`);
  }
  const side = Math.round(Math.sqrt(settings.imageTokens) * cellPxOf(shape.family));
  return [
    `${name} ${fits ? 'fits' : 'does not fit'} on this machine${from === 'headers' ? '' : ', as far as can be said before it is downloaded'}.`,
    `It takes ${fits ? '' : 'at least '}${takes.join(' and ')}.`,
    ...(fits
      ? [
          whereItRuns(settings.gpuLayers, shape.text.nLayer + 1, gpuName),
          `It sees a photo at about ${side} x ${side} pixels, or as many in its own shape.`,
          ...(givenUp.length === 0 ? [] : [`What it costs to fit: ${givenUp.map(consequence).join('; ')}.`]),
        ]
      : ['Close other programs, or take a smaller one: framewright model list.']),
    '',
    '--verbose shows what takes how much.',
  ];
}

function whereItRuns(gpuLayers: number, nLayers: number, gpuName: string | undefined): string {
  if (gpuName === undefined || gpuLayers === 0) return 'It runs on the processor.';
  if (gpuLayers >= nLayers) return `It runs on ${gpuName}.`;
  return `${Math.round((100 * gpuLayers) / nLayers)} % of it runs on ${gpuName}, the rest on the processor.`;
}

/** Of something given up only what comes of it; what it is, the table says. */
function consequence(line: string): string {
  return line.split(': ').at(-1)!;
}
