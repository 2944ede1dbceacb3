import type { Analysed, Decided, PhotoEngine, Proposed } from '../engines/engine.js';
import type { ReadyPhoto } from './ready-photo.js';
import type { SettledTarget, SettledWishes } from './wishes.js';

/** What an engine has made of one target. */
export interface CropOutcome {
  readonly ready: ReadyPhoto;
  readonly wishes: SettledWishes;
  readonly engine: PhotoEngine;
  readonly settled: SettledTarget;
  readonly analysed: Analysed;
  readonly proposed: Proposed;
  readonly decided: Decided;
}
