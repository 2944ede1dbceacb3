import type { CropResult } from '../../base/schema.js';
import type { FitWishes } from '../canvas.js';
import type { ReadyPhoto } from '../ready-photo.js';
import type { SettledTarget } from '../wishes.js';

/** What a photo's crops are taken over from: another photo's crop, looked for in this one. */
export type Carry = (ready: ReadyPhoto, fit: FitWishes) => Promise<Carried>;

export type Carried =
  | {
      /** @throws FramewrightError ASPECT_IMPOSSIBLE */
      readonly cropFor: (settled: SettledTarget) => CropResult;
      readonly note?: undefined;
    }
  /** It cannot be taken over, and the engine is asked: why, to follow the photo's name, where somebody may wonder. */
  | { readonly cropFor?: undefined; readonly note: string | undefined };
