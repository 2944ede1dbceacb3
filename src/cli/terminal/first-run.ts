import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Cropper } from '../../cropper/cropper.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { BUNDLED_MODELS } from '../../model/resolve.js';
import { say } from './visible.js';

/**
 * Tells which model crops and how to get a larger one: once on a machine, to a person at a terminal, and only of the
 * bundled one.
 */
export function tellOfModelsOnce({ model }: Cropper): void {
  if (!process.stderr.isTTY || !model || !Object.hasOwn(BUNDLED_MODELS, model.name)) return;
  const folder = cacheFolder();
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'told-of-models'), '', { flag: 'wx' });
  } catch {
    return; // told before, or every time if it were told now
  }
  say(
    `framewright: cropping with the bundled model ${model.name}; "framewright model list" names larger ones, and ` +
      '"framewright model plan <name>" says whether one fits this machine (this is said once)\n',
  );
}
