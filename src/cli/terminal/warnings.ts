import type { Cropper } from '../../cropper/cropper.js';
import { say } from './visible.js';

/** Says on stderr what a user should know before trusting a crop. */
export function warnUntrained({ model }: Pick<Cropper, 'model'>): void {
  if (!model || model.trained) return;
  say(`framewright: warning: the model ${model.name} is untrained (random weights): its crops mean nothing\n`);
}

/** What the model has to do without, for want of memory. */
export function warnGivenUp({ givenUp }: Cropper): void {
  if (givenUp.length === 0) return;
  say(`framewright: warning: memory is short: ${givenUp.join('; ')}\n`);
}

/** Why a backend asked for is not the one in use. */
export function warnFallbacks(cropper: Cropper, asked: string): void {
  if (!cropper.runtimeInfo) return;
  const { backend, fallbacks } = cropper.runtimeInfo;
  if (asked === 'auto' || asked === backend) return;
  say(`framewright: warning: running on ${backend}: ${fallbacks.join('; ')}\n`);
}
