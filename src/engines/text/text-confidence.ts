import type { Chain } from './chains.js';
import { evidenceOf } from './evidence.js';

export function textConfidence(chain: Chain): number {
  return evidenceOf(chain).standing;
}
